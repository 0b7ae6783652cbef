import type { Situation } from '../contracts.ts';
import { sayDate, sayDay, sayMonth, sayTime, sayYear, shifted } from './clock.ts';
import type { Topic } from './eliza.ts';
import type { IntentName } from './grammar.ts';
import { isExact, readNumber, sayNumber } from './numbers.ts';
import type { Random } from './random.ts';
import { written } from './reflect.ts';
import { JOKES, STORIES } from './stories.ts';
import { readSum } from './sums.ts';

/** What an answer may draw on. */
export type Asked = {
  /** The words as they were understood, and what filled the slots. */
  readonly words: readonly string[];
  readonly slots: Readonly<Record<string, readonly string[]>>;
  /** As it was said or typed. */
  readonly text: string;
  readonly situation: Situation;
  readonly now: Date;
  /** The same for the same conversation. */
  readonly random: Random;
  /** Nothing was answered before. */
  readonly first: boolean;
};

/** Intents with an answer of their own, which does not need the history. */
export type Plain = Exclude<IntentName, Topic | 'goOn' | 'whereWereYou' | 'sayAgain' | 'whatDidISay' | 'whatIsMyName'>;

/** The ways to answer; the first that was not said just now is taken. */
type Answer = (asked: Asked) => readonly string[];

const STAND_IN = 'a small stand-in without a language model';
const ABILITIES =
  'I can tell you the time and the date, do sums, count, repeat after you, tell stories, and say which engines run and how fast they are. ' +
  'Otherwise I listen, and ask you about yourself.';

const capital = (text: string) => text[0]!.toUpperCase() + text.slice(1);
const numberIn = (slot: readonly string[] | undefined) => slot && readNumber(slot, 0)?.value;

/** How each of these intents is answered. */
export const answers: Readonly<Record<Plain, Answer>> = {
  greeting: ({ first }) =>
    first
      ? [`Hello! I am ${STAND_IN}, but I can talk with you. How are you today?`]
      : [
          'Hello again! How are you?',
          'Hello! I am still here. What is on your mind?',
          'Hi there. What shall we talk about?',
        ],
  farewell: () => [
    'Goodbye! It was nice talking to you.',
    'See you soon. Take care!',
    'Bye! Come back whenever you like.',
  ],
  thanks: () => ["You're welcome.", 'My pleasure. Is there anything else?', 'Any time.', 'Gladly done.'],
  yes: () => [
    'Good. Tell me more.',
    'I see. Why is that?',
    'You sound quite sure. Go on.',
    'All right. And how do you feel about it?',
  ],
  no: () => [
    'Why not?',
    'All right. What would you rather talk about?',
    'I see. Are you sure?',
    'Fine. Then tell me something else.',
  ],
  maybe: () => [
    'What does it depend on?',
    'You do not sound very sure. What would you like best?',
    'Then take your time. What is your first thought?',
  ],
  stop: () => ['Okay.', 'All right, I am listening.', 'I have stopped. Go ahead.'],
  time: ({ now }) => [`It is ${sayTime(now)}.`],
  date: ({ words, now }) => {
    if (words.includes('year')) return [`It is the year ${sayYear(now)}.`];
    if (words.includes('month')) return [`It is ${sayMonth(now)}.`];
    if (words.includes('tomorrow')) return [`Tomorrow is ${sayDate(shifted(now, 1))}.`];
    return [`Today is ${sayDate(now)}.`];
  },
  day: ({ words, now }) => {
    const days = words.includes('tomorrow') ? 1 : words.includes('yesterday') ? -1 : 0;
    const day = sayDay(shifted(now, days));
    const guess = words.find((word) => /day$/.test(word) && !['day', 'today', 'yesterday'].includes(word));
    if (guess) return [guess === day.toLowerCase() ? `Yes, today is ${day}.` : `No, today is ${day}.`];
    return [`${days > 0 ? 'Tomorrow is' : days < 0 ? 'Yesterday was' : 'Today is'} ${day}.`];
  },
  sum: ({ slots }) => [calculated(slots.sum ?? [])],
  squareOf: ({ slots }) => [calculated([...(slots.number ?? []), 'squared'])],
  howManyIn: ({ words }) => [howMany(words)],
  count: ({ slots }) => [counted(numberIn(slots.start) ?? 1, numberIn(slots.count) ?? 10)],
  countDown: ({ slots }) => [counted(numberIn(slots.start) ?? 10, numberIn(slots.count) ?? (slots.start ? 1 : 0))],
  repeat: ({ text, slots }) => [repeated(text, slots.echo ?? [])],
  story: ({ random }) => rotated(STORIES, random),
  joke: ({ random }) => rotated(JOKES, random),
  coin: ({ words, random }) => {
    if (words.includes('number')) return [`${capital(sayNumber(1 + Math.floor(random() * 100)))}.`];
    if (words.includes('die') || words.includes('dice'))
      return [`I rolled a ${sayNumber(1 + Math.floor(random() * 6))}.`];
    return [random() < 0.5 ? 'Heads.' : 'Tails.'];
  },
  engines: ({ situation: { engines } }) => [
    `I find speech with ${aloud(engines.vad)}. I turn it into words with ${aloud(engines.asr)}. I think with ${aloud(engines.llm)}. ` +
      `And I speak with ${aloud(engines.tts)}.`,
  ],
  speed: ({ situation: { lastVoiceToVoiceMs } }) => [
    lastVoiceToVoiceMs === undefined
      ? 'I have nothing to measure yet. Ask me again after a spoken turn.'
      : `The last turn took ${duration(lastVoiceToVoiceMs)} from the end of your speech to the first sound of mine.`,
  ],
  whoAreYou: () => [
    `I am ${STAND_IN}. I answer by simple rules, like Eliza did in the nineteen sixties. ` +
      'Put a real language model in the settings, and it will speak in my place.',
    `I am a computer program: ${STAND_IN}. I do not really understand you, but I listen.`,
  ],
  whatCanYouDo: () => [`I am ${STAND_IN}. ${ABILITIES}`],
  howAreYou: () => [
    'I am fine, thank you, as far as a program can be. And you?',
    'All my engines are running. How are you?',
    'Very well, thanks. What about you?',
  ],
  canYouHearMe: () => ['Yes, I can hear you. Go ahead.', 'Loud and clear. What is on your mind?', 'Yes, I am here.'],
  aboutYou: () => [
    'I am only a program, so there is not much to tell. What about you?',
    'I have no feelings and no past, only a few rules. Why do you ask?',
    'Let us rather talk about you. What would your own answer be?',
  ],
  myName: ({ slots }) => {
    const name = properName(slots.name ?? []);
    return name ? [`Nice to meet you, ${name}.`, `I will remember that, ${name}.`] : ['Nice to meet you.'];
  },
  weatherQuestion: () => [
    'I have no window and no internet, so I cannot know the weather. What does it look like where you are?',
    'I cannot see outside. Do you hope for sunshine?',
  ],
  cannot: () => [
    `I cannot do that: I am ${STAND_IN}. But I can tell you a story, or count.`,
    'That is beyond me. Ask me what I can do, and I will tell you.',
  ],
  fact: () => [
    `I do not know such things: I am ${STAND_IN}. What would you say?`,
    'A real language model could tell you that. Why does it interest you?',
    'I know very little, except the time and a few stories. What do you know about it?',
  ],
  sorry: () => ['There is no need to be sorry.', 'That is all right. Go on.', 'Never mind. Where were we?'],
  praise: () => [
    'I am glad to hear that.',
    'Thank you. What else is on your mind?',
    'Nice. Shall I go on, or do you want to tell me something?',
  ],
};

function rotated(items: readonly string[], random: Random): string[] {
  const start = Math.floor(random() * items.length);
  return [...items.slice(start), ...items.slice(0, start)];
}

function calculated(words: readonly string[]): string {
  const sum = readSum(words, 0);
  if (!sum) return 'I did not catch the numbers. Could you say them again?';
  if (sum.impossible === 'division by zero') return 'Nothing can be divided by zero, not even by me.';
  if (sum.impossible) return 'A negative number has no square root that I could say.';
  return `${capital(sum.text)} is ${isExact(sum.value) ? '' : 'about '}${sayNumber(sum.value)}.`;
}

const SECONDS: Readonly<Record<string, number>> = {
  second: 1,
  minute: 60,
  hour: 3600,
  day: 86_400,
  week: 604_800,
  month: 2_629_746,
  year: 31_556_952,
};

function howMany(words: readonly string[]): string {
  const small = words.map((word) => word.replace(/s$/, '')).find((word) => word in SECONDS) ?? 'day';
  const large = words.findLast((word) => word in SECONDS && word !== small) ?? small;
  const many = SECONDS[large]! / SECONDS[small]!;
  if (many < 1) return `A ${large} is shorter than a ${small}.`;
  const exact = Number.isInteger(many) ? many : undefined;
  if (small === 'month' && large === 'year') return 'A year has twelve months.';
  if (small === 'day' && large === 'year')
    return 'A year has three hundred and sixty-five days, and a leap year one more.';
  return `${large === 'hour' ? 'An' : 'A'} ${large} has ${exact === undefined ? 'about ' : ''}${sayNumber(exact ?? Math.round(many))} ${small}${many === 1 ? '' : 's'}.`;
}

const MOST = 300;

function counted(from: number, to: number): string {
  const [start, end] = [Math.round(from), Math.round(to)];
  const step = end < start ? -1 : 1;
  const many = Math.min(Math.abs(end - start), MOST - 1) + 1;
  const numbers = Array.from({ length: many }, (_, i) => sayNumber(start + step * i));
  const sentences: string[] = [];
  for (let i = 0; i < many; i += 10) sentences.push(`${capital(numbers.slice(i, i + 10).join(', '))}.`);
  if (Math.abs(end - start) >= MOST) sentences.push('That is enough for today.');
  return sentences.join(' ');
}

function repeated(text: string, words: readonly string[]): string {
  const said = /\b(?:repeat after me|say after me|repeat the (?:words|sentence)|repeat|say)\b[\s:,]*(.*)$/isu
    .exec(text)?.[1]
    ?.trim();
  const what = said || written(words);
  if (!what) return 'What shall I repeat?';
  return capital(/[.!?]$/.test(what) ? what : `${what.replace(/[,;:]$/, '')}.`);
}

function duration(ms: number): string {
  if (ms >= 950) return `${sayNumber(Math.round(ms / 100) / 10)} seconds`.replace(/^one seconds/, 'one second');
  return `${sayNumber(Math.round(ms / 10) * 10)} milliseconds`;
}

/** A description such as `pocketsphinx (en-us)` without what cannot be read aloud. */
function aloud(engine: string): string {
  return engine.replace(/\s*\(([^()]*)\)/g, ', $1,').replace(/,$/, '');
}

/** The name somebody gave, with capital letters. */
export function properName(words: readonly string[]): string {
  return words.map(capital).join(' ');
}
