import { type Automaton, buildAutomaton } from './automaton.ts';
import { grammar, type Intent, type IntentName } from './grammar.ts';
import { LIGHT, likeness, toWords } from './words.ts';

/** What somebody meant: the intent, and the words that filled each slot. */
export type Understood = {
  readonly intent: IntentName;
  readonly slots: Readonly<Record<string, readonly string[]>>;
  /** How far the words were from the nearest sentence of the grammar, in tenths of a word; 0 is word for word. */
  readonly distance: number;
};

/** Distances, in tenths of a word. */
const COST = {
  any: 1,
  lightExtra: 2,
  extra: 7,
  lightMissing: 3,
  missing: 10,
  similar: 4,
  sounds: 1,
  different: 12,
} as const;
const OPEN_COST = 2;
/** Nobody says more in one sentence; what is pasted must not hold the server up. */
const MOST_WORDS = 40;
const SIMILAR = 0.6;
const SOUNDS: Readonly<Record<string, string>> = {
  two: 'to',
  too: 'to',
  four: 'for',
  its: 'it',
  there: 'their',
  see: 'sea',
};

type Step = {
  readonly state: number;
  readonly at: number;
  readonly cost: number;
  readonly from: Step | undefined;
  readonly mark?: { readonly slot: string; readonly enter: boolean };
};

let machine: Automaton | undefined;

/** What `text` means: the nearest sentence of the grammar, undefined when none is near enough. */
export function understand(text: string): Understood | undefined {
  const words = toWords(text);
  if (words.length === 0) return undefined;
  if (words.length > MOST_WORDS) return spotted(words.slice(-MOST_WORDS));
  machine ??= buildAutomaton();
  // Most of what is said is in the grammar word for word. Otherwise a command that was misheard is likelier than a
  // statement with unknown words, which an open slot would take for anything.
  return (
    nearest(machine, words, { most: 0, loosely: false, open: false }) ??
    nearest(machine, words, { most: Math.min(8, 4 + words.length), loosely: true, open: false }) ??
    nearest(machine, withoutFillers(words), { most: OPEN_COST + words.length, loosely: false, open: true }) ??
    spotted(words)
  );
}

const FILLERS = new Set('well um uh er oh ah yes no and but so okay now hey actually listen because'.split(' '));

function withoutFillers(words: readonly string[]): readonly string[] {
  const first = words.findIndex((word) => !FILLERS.has(word));
  return first > 0 ? words.slice(first) : words;
}

/** The intent of the last keyword in a sentence that follows no pattern. */
function spotted(words: readonly string[]): Understood | undefined {
  for (const word of words.toReversed()) {
    const intent = keywords().get(word);
    if (intent) return { intent, slots: {}, distance: 10 * words.length };
  }
  return undefined;
}

let spots: ReadonlyMap<string, IntentName> | undefined;

function keywords(): ReadonlyMap<string, IntentName> {
  spots ??= new Map(
    Object.entries(grammar as Readonly<Record<string, Intent>>).flatMap(([intent, { keywords = '' }]) =>
      keywords.split(' ').map((word) => [word, intent as IntentName] as const),
    ),
  );
  return spots;
}

type Search = {
  /** The distance at which to give up. */
  readonly most: number;
  /** Whether words may be missing, extra or changed. */
  readonly loosely: boolean;
  /** Whether open slots take words that are not on their lists. */
  readonly open: boolean;
};

/** The cheapest way through the machine that uses up all words (Dijkstra over states and positions). */
function nearest(
  { arcs, starts, accepts }: Automaton,
  words: readonly string[],
  { most, loosely, open }: Search,
): Understood | undefined {
  const buckets: Step[][] = Array.from({ length: most + 1 }, () => []);
  const width = words.length + 1;
  const done = new Uint8Array(arcs.length * width);
  const push = (step: Step) => {
    if (step.cost <= most && !done[step.state * width + step.at]) buckets[step.cost]!.push(step);
  };
  const heavy = words.filter((word) => !LIGHT.has(word));
  for (const { state, vocabulary } of starts) {
    // A word that a pattern does not have costs at least as much as a similar one; this spares most of the wide search.
    const strange = vocabulary && !open ? heavy.filter((word) => !vocabulary.has(word)).length : 0;
    if (strange * COST.sounds <= most && (strange - 1) * COST.similar <= most)
      push({ state, at: 0, cost: 0, from: undefined });
  }
  for (const bucket of buckets) {
    // First in, first out: of equally near sentences the one that stands first in the grammar is meant.
    for (let next = 0; next < bucket.length; next++) {
      const step = bucket[next]!;
      const { state, at, cost } = step;
      if (done[state * width + at]) continue;
      done[state * width + at] = 1;
      const intent = at === words.length ? accepts.get(state) : undefined;
      if (intent) return { intent, slots: slotsOf(step, words), distance: cost };
      const word = words[at];
      for (const arc of arcs[state]!) {
        switch (arc.kind) {
          case 'free':
            push({ state: arc.to, at, cost, from: step });
            break;
          case 'open':
            if (open) push({ state: arc.to, at, cost: cost + OPEN_COST, from: step });
            break;
          case 'enter':
          case 'leave':
            push({ state: arc.to, at, cost, from: step, mark: { slot: arc.slot, enter: arc.kind === 'enter' } });
            break;
          case 'any':
            if (word !== undefined) push({ state: arc.to, at: at + 1, cost: cost + COST.any, from: step });
            break;
          case 'read': {
            const length = arc.read(words, at);
            if (length > 0) push({ state: arc.to, at: at + length, cost, from: step });
            break;
          }
          case 'word':
            if (word === arc.word) push({ state: arc.to, at: at + 1, cost, from: step });
            else if (loosely) {
              const missing = LIGHT.has(arc.word) ? COST.lightMissing : COST.missing;
              if (cost + missing <= most) push({ state: arc.to, at, cost: cost + missing, from: step });
              if (word === undefined || cost + COST.sounds > most) break;
              const swapped = swap(word, arc.word);
              if (cost + swapped <= most) push({ state: arc.to, at: at + 1, cost: cost + swapped, from: step });
            }
        }
      }
      if (loosely && word !== undefined) {
        const extra = LIGHT.has(word) ? COST.lightExtra : COST.extra;
        push({ state, at: at + 1, cost: cost + extra, from: step });
      }
    }
  }
  return undefined;
}

function swap(said: string, expected: string): number {
  if (SOUNDS[said] === expected || SOUNDS[expected] === said) return COST.sounds;
  if (LIGHT.has(said) && LIGHT.has(expected)) return COST.lightMissing;
  // Lengths first: most pairs need no closer look.
  const [short, long] = said.length < expected.length ? [said, expected] : [expected, said];
  if (short.length < SIMILAR * long.length) return COST.different;
  return likeness(said, expected) >= SIMILAR ? COST.similar : COST.different;
}

function slotsOf(last: Step, words: readonly string[]): Record<string, readonly string[]> {
  const slots: Record<string, readonly string[]> = {};
  const ends = new Map<string, number>();
  for (let step: Step | undefined = last; step; step = step.from) {
    if (!step.mark) continue;
    if (!step.mark.enter) ends.set(step.mark.slot, step.at);
    else slots[step.mark.slot] ??= words.slice(step.at, ends.get(step.mark.slot) ?? step.at);
  }
  return slots;
}
