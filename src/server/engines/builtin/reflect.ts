/** What each word becomes when somebody else says it. */
const TURNED: Readonly<Record<string, string>> = {
  i: 'you',
  me: 'you',
  my: 'your',
  mine: 'yours',
  myself: 'yourself',
  am: 'are',
  your: 'my',
  yours: 'mine',
  yourself: 'myself',
  us: 'you',
  our: 'your',
  we: 'you',
};

/** Before these, "you" is the one who acts. */
const ACTS = new Set(
  'are were do did have had can could will would should may might must never always often listen sound understand know think like love hate want need say said ask'.split(
    ' ',
  ),
);
const NAMES = new Set(
  (
    'monday tuesday wednesday thursday friday saturday sunday christmas london paris berlin spain italy germany france ' +
    'america england ireland japan spanish french english german italian anna maria peter john james mary robert michael linda ' +
    'david sarah daniel emma paul laura thomas susan george alice martin karen kevin helen andrew richard simon'
  ).split(' '),
);

/** Turns somebody's words around, to say them back: `my boss hates me` becomes `your boss hates you`. */
export function reflect(words: readonly string[]): string {
  const turned = words.map((word, i) => {
    const next = words[i + 1];
    if (word === 'you') {
      if (next === 'are') return 'I';
      return (next !== undefined && ACTS.has(next)) || (i === 0 && next !== undefined) ? 'I' : 'me';
    }
    if (word === 'are' && words[i - 1] === 'you') return 'am';
    if (word === 'were' && words[i - 1] === 'you') return 'was';
    if (word === 'was' && words[i - 1] === 'i') return 'were';
    return TURNED[word] ?? word;
  });
  return written(turned);
}

/** Words as they are written: names with a capital letter, and contractions where they sound better. */
export function written(words: readonly string[]): string {
  return words
    .map((word) => (word === 'i' ? 'I' : NAMES.has(word) ? word[0]!.toUpperCase() + word.slice(1) : word))
    .join(' ')
    .replace(/\b(do|does|did|could|have|is|was|would|should) not\b/g, "$1n't")
    .replace(/\bcan not\b/g, "can't");
}
