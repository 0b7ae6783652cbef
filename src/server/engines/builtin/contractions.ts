import type { Random } from './random.ts';

/** How people say it, and what it is short for; only those that hold before any further word. */
const SHORT: readonly (readonly [full: string, short: string])[] = [
  ['i am', "i'm"],
  ['i will', "i'll"],
  ['i would', "i'd"],
  ['what is', "what's"],
  ['that is', "that's"],
  ['it is', "it's"],
  ['there is', "there's"],
  ['let us', "let's"],
  ['you are', "you're"],
  ['we are', "we're"],
  ['do not', "don't"],
  ['does not', "doesn't"],
  ['did not', "didn't"],
  ['can not', "can't"],
  ['could not', "couldn't"],
  ['have not', "haven't"],
  ['is not', "isn't"],
];
/** Short forms that are understood but not expected. */
const ALSO: Readonly<Record<string, string>> = {
  cannot: 'can not',
  "won't": 'will not',
  "wouldn't": 'would not',
  "shouldn't": 'should not',
  "wasn't": 'was not',
  "aren't": 'are not',
  "i've": 'i have',
  "he's": 'he is',
  "she's": 'she is',
  "they're": 'they are',
  "you'll": 'you will',
  "we'll": 'we will',
  "how's": 'how is',
  "where's": 'where is',
  "who's": 'who is',
  "you've": 'you have',
  "you'd": 'you would',
  gonna: 'going to',
  wanna: 'want to',
  todays: "today's",
  whats: 'what is',
  thats: 'that is',
  im: 'i am',
  dont: 'do not',
  doesnt: 'does not',
  didnt: 'did not',
  cant: 'can not',
  couldnt: 'could not',
  isnt: 'is not',
  youre: 'you are',
};
const LONG = new Map<string, string>([
  ...SHORT.map(([full, short]) => [short, full] as const),
  ...Object.entries(ALSO),
]);

/** Undoes contractions, so that "what's" is matched as "what is". */
export function expandContractions(words: readonly string[]): string[] {
  return words.flatMap((word) => (LONG.get(word) ?? word).split(' '));
}

/** Writes a sentence of the grammar as it is spoken: mostly with contractions. */
export function contract(sentence: string, random: Random): string {
  let spoken = sentence;
  for (const [full, short] of SHORT) {
    const pattern = new RegExp(`\\b${full}(?= \\S)`, 'g');
    spoken = spoken.replace(pattern, () => (random() < 0.6 ? short : full));
  }
  return spoken.replace(/\bcan not\b/g, 'cannot');
}
