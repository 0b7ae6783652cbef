import { expandContractions } from './contractions.ts';
import type { IntentName } from './grammar.ts';
import type { Pattern } from './pattern.ts';
import { entries } from './sentences.ts';
import { slot } from './slots.ts';

/** Where one can go from a state: by a word, by anything a reader takes, by any word at all, for nothing, or into the free text of an open slot. */
export type Arc =
  | { readonly kind: 'word'; readonly to: number; readonly word: string }
  | { readonly kind: 'read'; readonly to: number; readonly read: (words: readonly string[], from: number) => number }
  | { readonly kind: 'any'; readonly to: number }
  | { readonly kind: 'free' | 'open'; readonly to: number }
  | { readonly kind: 'enter' | 'leave'; readonly to: number; readonly slot: string };

/** One pattern's place in the machine, and every word that occurs in it; undefined where a reader takes what it likes. */
export type Start = { readonly state: number; readonly vocabulary: ReadonlySet<string> | undefined };

/** All patterns of the grammar as one machine: `arcs[state]`, `accepts` says which intent a final state means. */
export type Automaton = {
  readonly arcs: readonly (readonly Arc[])[];
  readonly starts: readonly Start[];
  readonly accepts: ReadonlyMap<number, IntentName>;
};

/** Builds the machine. */
export function buildAutomaton(): Automaton {
  const arcs: Arc[][] = [];
  const starts: Start[] = [];
  const accepts = new Map<number, IntentName>();
  const state = () => arcs.push([]) - 1;

  const add = (pattern: Pattern, from: number): number => {
    switch (pattern.kind) {
      case 'word': {
        let at = from;
        for (const word of expandContractions([pattern.word])) {
          const to = state();
          arcs[at]!.push({ kind: 'word', to, word });
          at = to;
        }
        return at;
      }
      case 'all':
        return pattern.parts.reduce((at, part) => add(part, at), from);
      case 'any': {
        const to = state();
        for (const part of pattern.parts) arcs[add(part, from)]!.push({ kind: 'free', to });
        return to;
      }
      case 'maybe': {
        const to = state();
        arcs[from]!.push({ kind: 'free', to });
        arcs[add(pattern.part, from)]!.push({ kind: 'free', to });
        return to;
      }
      case 'slot':
        return addSlot(pattern.name, from);
    }
  };
  const addSlot = (name: string, from: number): number => {
    const what = slot(name);
    const [inside, end, after] = [state(), state(), state()];
    arcs[from]!.push({ kind: 'enter', to: inside, slot: name });
    arcs[end]!.push({ kind: 'leave', to: after, slot: name });
    if ('read' in what) {
      arcs[inside]!.push({ kind: 'read', to: end, read: what.read });
      return after;
    }
    arcs[add(what.words, inside)]!.push({ kind: 'free', to: end });
    if (what.open) {
      const [opened, some] = [state(), state()];
      arcs[inside]!.push({ kind: 'open', to: opened });
      arcs[opened]!.push({ kind: 'any', to: some });
      arcs[some]!.push({ kind: 'any', to: some }, { kind: 'free', to: end });
    }
    return after;
  };

  for (const { intent, pattern } of entries()) {
    const start = state();
    accepts.set(add(pattern, start), intent);
    const own = arcs.slice(start).flat();
    const words = own.flatMap((arc) => (arc.kind === 'word' ? [arc.word] : []));
    starts.push({ state: start, vocabulary: own.some(({ kind }) => kind === 'read') ? undefined : new Set(words) });
  }
  return { arcs, starts, accepts };
}
