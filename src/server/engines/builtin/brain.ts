import type { ChatMessage, ChatRequest } from '../contracts.ts';
import { type Asked, answers, properName } from './answers.ts';
import { ANYTHING, EARLIER, ELIZA, QUESTION, type Topic } from './eliza.ts';
import type { IntentName } from './grammar.ts';
import { type Random, seeded } from './random.ts';
import { reflect } from './reflect.ts';
import { rest, sameWords, wordsOf } from './resume.ts';
import { STORIES } from './stories.ts';
import { type Understood, understand } from './understand.ts';
import { toWords } from './words.ts';

/** Said in answer to nothing at all. */
const OPENING = 'Hello! I am a small stand-in without a language model, but I can talk with you. How are you today?';
/** Statements worth coming back to. */
const MEMORABLE = new Set<IntentName>([
  'feel',
  'worried',
  'want',
  'family',
  'work',
  'dream',
  'unable',
  'like',
  'plans',
]);
/** What somebody says beside what they want. */
const ASIDE = new Set<IntentName>(['greeting', 'yes', 'no', 'maybe', 'thanks', 'praise', 'sorry', 'stop']);

/** The reply to the last message, as text. The same conversation at the same time gets the same reply. */
export function think({ messages, situation }: ChatRequest, now: Date): string {
  const talk = messages.filter(({ role }) => role !== 'system');
  const last = talk.findLastIndex(({ role }) => role === 'user');
  if (last < 0) return OPENING;
  const text = talk[last]!.content;
  const before = talk.slice(0, last);
  const random = seeded(hash(`${before.length} ${text}`));
  const said = new Set(
    before.slice(-8).flatMap(({ role, content }) => (role === 'assistant' ? [wordsOf(content).join(' ')] : [])),
  );
  const fresh = (choices: readonly string[], start = 0) => firstFresh(choices, said, start);

  const meant = meaning(text);
  const asked: Asked = {
    words: toWords(text),
    slots: meant?.slots ?? {},
    text,
    situation,
    now,
    random,
    first: !before.some(({ role }) => role === 'assistant'),
  };
  if (!meant) return fresh(vague(asked.words, before, random), 0);
  const again = () => think({ messages: talk.slice(0, lastUser(before) + 1), situation }, now);
  switch (meant.intent) {
    case 'goOn':
      return (
        goOn(before, again, false) ??
        fresh(['I had finished. Now it is your turn: tell me something.', 'There was no more. What is on your mind?'])
      );
    case 'whereWereYou':
      return goOn(before, again, true) ?? fresh([finished(before), 'I had finished. Where would you like to go on?']);
    case 'sayAgain':
      return repeatLast(before, again);
    case 'whatDidISay':
      return fresh([remembered(before), 'I only remember what I just told you.']);
    case 'whatIsMyName': {
      const name = nameIn(before);
      return fresh(
        name
          ? [`Your name is ${name}.`, `You told me that you are ${name}.`]
          : ['You have not told me your name yet.', 'I do not know your name. What is it?'],
      );
    }
    default:
      if (!(meant.intent in ELIZA)) return fresh(answers[meant.intent as keyof typeof answers](asked));
      return fresh(eliza(meant.intent as Topic, meant), Math.floor(random() * 20));
  }
}

/** What a message means: as a whole, or the weightiest of its sentences. */
function meaning(text: string): Understood | undefined {
  const whole = understand(text);
  if (whole && whole.distance < 10) return whole;
  const parts = text.split(/(?<=[.!?;])\s+/).map(understand);
  const clear = parts.filter((part) => part !== undefined);
  if (parts.length < 2) return whole;
  return clear.findLast(({ intent }) => !ASIDE.has(intent)) ?? clear.at(-1) ?? whole;
}

function eliza(topic: Topic, { slots }: Understood): string[] {
  const filled = ELIZA[topic].flatMap((template) => {
    const needs = [...template.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
    if (!needs.every((name) => slots[name]?.length)) return [];
    return [template.replace(/\{(\w+)\}/g, (_, name: string) => reflect(slots[name]!))];
  });
  const talksAboutIt = filled.filter((reply) => !ELIZA[topic].includes(reply));
  // A reply that takes up the words comes before one that would fit anything.
  return talksAboutIt.length > 1 ? talksAboutIt : filled;
}

const ASKS = new Set([
  'what',
  'who',
  'why',
  'when',
  'where',
  'how',
  'which',
  'whose',
  'is',
  'are',
  'do',
  'does',
  'did',
  'can',
  'could',
  'will',
  'would',
]);

/** Replies to what was not understood: a question is passed back, a statement may bring up something earlier. */
function vague(words: readonly string[], before: readonly ChatMessage[], random: Random): string[] {
  const shift = (items: readonly string[]) => {
    const start = Math.floor(random() * items.length);
    return [...items.slice(start), ...items.slice(0, start)];
  };
  if (ASKS.has(words[0] ?? '')) return [...shift(QUESTION), ...shift(ANYTHING)];
  const earlier = earlierStatement(before);
  const back = earlier ? shift(EARLIER).map((template) => template.replace('{earlier}', earlier)) : [];
  return random() < 0.5 ? [...back, ...shift(ANYTHING)] : [...shift(ANYTHING), ...back];
}

/** The first choice that was not said lately, looking from `start` on. */
function firstFresh(choices: readonly string[], said: ReadonlySet<string>, start: number): string {
  const turned = choices.map((_, i) => choices[(i + start) % choices.length]!);
  const isNew = (choice: string) => {
    const words = wordsOf(choice).join(' ');
    // A reply that was cut is in the history only in part.
    return ![...said].some((old) => old === words || (old.length > 8 && words.startsWith(old)));
  };
  return turned.find(isNew) ?? turned[0]!;
}

const lastUser = (messages: readonly ChatMessage[]) => messages.findLastIndex(({ role }) => role === 'user');

/** The rest of the last reply, if it was cut. */
function goOn(before: readonly ChatMessage[], again: () => string, remind: boolean): string | undefined {
  const at = before.findLastIndex(({ role }) => role === 'assistant');
  const cut = before[at];
  if (!cut?.cut) return before.at(-1)?.role === 'user' ? again() : undefined;
  const more = [again(), ...STORIES].map((full) => rest(full, cut.content)).find((found) => found !== undefined);
  if (!more) return undefined;
  const tail = wordsOf(cut.content).slice(-5).join(' ');
  return remind && tail ? `I had got as far as: ${tail}. And then: ${more}` : more;
}

function finished(before: readonly ChatMessage[]): string {
  const reply = before.findLast(({ role }) => role === 'assistant')?.content;
  return reply
    ? `I had finished. The last thing I said was: ${lastSentence(reply)}`
    : 'We had not begun. What shall we talk about?';
}

const lastSentence = (text: string) =>
  text
    .trim()
    .split(/(?<=[.!?])\s+/)
    .at(-1)!;

function repeatLast(before: readonly ChatMessage[], again: () => string): string {
  const reply = before.findLast(({ role }) => role === 'assistant');
  if (!reply) return 'I have not said anything yet.';
  if (reply.cut) {
    const whole = again();
    return sameWords(wordsOf(whole), wordsOf(reply.content)) ? whole : reply.content;
  }
  return reply.content.length > 400
    ? `That was long. It ended like this: ${lastSentence(reply.content)}`
    : reply.content;
}

function remembered(before: readonly ChatMessage[]): string {
  const message = before.findLast(({ role }) => role === 'user');
  return message
    ? `You said: ${message.content.trim().replace(/[.!?]*$/, '')}.`
    : 'You have only just begun to talk to me.';
}

function nameIn(before: readonly ChatMessage[]): string | undefined {
  for (const { role, content } of before.toReversed()) {
    if (role !== 'user' || !/name|call me|i'?.?m|this is/i.test(content)) continue;
    const meant = understand(content);
    if (meant?.intent === 'myName' && meant.slots.name?.length) return properName(meant.slots.name);
  }
  return undefined;
}

/** Something the user told some while ago, turned around; the very last message is not "earlier". */
function earlierStatement(before: readonly ChatMessage[]): string | undefined {
  const told = before.filter(({ role }) => role === 'user').slice(-12, -1);
  for (const { content } of told.toReversed()) {
    const meant = understand(content);
    if (meant && meant.distance < 10 && MEMORABLE.has(meant.intent)) return reflect(toWords(content));
  }
  return undefined;
}

function hash(text: string): number {
  let value = 2166136261;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 16777619);
  return value;
}
