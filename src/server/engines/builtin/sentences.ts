import { contract } from './contractions.ts';
import { FRAME, grammar, type Intent, type IntentName } from './grammar.ts';
import { type Pattern, parsePattern, say, variants } from './pattern.ts';
import { pick, type Random, seeded } from './random.ts';
import { slot } from './slots.ts';

const FRAME_ODDS = 0.12;

/** One pattern of the grammar with what belongs to it. */
export type Entry = { readonly intent: IntentName; readonly pattern: Pattern; readonly weight: number };

/** What a slot may be said as, for `say`. */
export function slotWords(name: string): Pattern | ((random: Random) => string) {
  const found = slot(name);
  return 'words' in found ? found.words : found.say;
}

let parsed: readonly Entry[] | undefined;

/** Every pattern of the grammar, parsed and framed. */
export function entries(): readonly Entry[] {
  parsed ??= Object.entries(grammar as Readonly<Record<string, Intent>>).flatMap(([intent, { patterns, ...rest }]) =>
    patterns.map((notation) => {
      const pattern = parsePattern(notation);
      const { framed = false, weight = 1 } = rest;
      return { intent: intent as IntentName, pattern: framed ? frame(pattern) : pattern, weight };
    }),
  );
  return parsed;
}

function frame(pattern: Pattern): Pattern {
  const maybe = (notation: string): Pattern => ({ kind: 'maybe', part: parsePattern(notation), odds: FRAME_ODDS });
  return { kind: 'all', parts: [maybe(FRAME.before), pattern, maybe(FRAME.after)] };
}

const spoken = (entry: Entry, random: Random) => contract(say(entry.pattern, slotWords, random), random);

/**
 * Some 60,000 sentences that the built-in brain understands, in lower-case words without punctuation, numbers as words;
 * the likelier ones are repeated. Always the same ones: a language model made from them can be kept.
 */
export function* sentences(): Generator<string, void, undefined> {
  const random = seeded(1);
  for (const entry of entries()) {
    const many = Math.min(240, Math.ceil(2 * entry.weight * Math.sqrt(variants(entry.pattern, slotWords))));
    for (let i = 0; i < many; i++) yield spoken(entry, random);
  }
  // Every word of every list must be heard of, however rarely its pattern comes up.
  for (let round = 0; round < 3; round++) {
    const seen = new Set<string>();
    for (const entry of entries()) {
      for (const sentence of walk(entry.pattern, random, seen)) yield contract(sentence, random);
    }
  }
}

/** Sentences of `pattern` in which each choice on its way is taken in turn; a slot's choices once for the same `seen`. */
function* walk(pattern: Pattern, random: Random, seen: Set<string>): Generator<string, void, undefined> {
  switch (pattern.kind) {
    case 'word':
      yield pattern.word;
      return;
    case 'any':
      for (const part of pattern.parts) yield* walk(part, random, seen);
      return;
    case 'maybe':
      yield '';
      yield* walk(pattern.part, random, seen);
      return;
    case 'slot': {
      const words = slotWords(pattern.name);
      if (typeof words === 'function' || seen.has(pattern.name)) yield say(pattern, slotWords, random);
      else {
        seen.add(pattern.name);
        yield* walk(words, random, seen);
      }
      return;
    }
    case 'all':
      for (const [i, part] of pattern.parts.entries()) {
        if (part.kind === 'word' && i > 0) continue;
        for (const middle of walk(part, random, seen)) {
          const others = pattern.parts.map((other, j) => (j === i ? middle : say(other, slotWords, random)));
          yield others.filter(Boolean).join(' ');
        }
      }
  }
}

/** `n` different-looking sentences, the same for the same `seed`: each intent comes up as often as its weight says. */
export function sampleSentences(n: number, seed: number): string[] {
  const random = seeded(seed);
  const groups = new Map<IntentName, Entry[]>();
  for (const entry of entries()) groups.set(entry.intent, [...(groups.get(entry.intent) ?? []), entry]);
  const wheel = [...groups.values()].flatMap((group) => Array.from({ length: group[0]!.weight }, () => group));
  const seen = new Set<string>();
  for (let tries = 0; seen.size < n && tries < 50 * n; tries++)
    seen.add(spoken(pick(pick(wheel, random), random), random));
  return [...seen];
}
