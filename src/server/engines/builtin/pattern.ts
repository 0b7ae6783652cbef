import { pick, type Random } from './random.ts';

/** A parsed pattern: what may be said, as a tree. */
export type Pattern =
  | { readonly kind: 'word'; readonly word: string }
  | { readonly kind: 'all'; readonly parts: readonly Pattern[] }
  | { readonly kind: 'any'; readonly parts: readonly Pattern[] }
  | { readonly kind: 'maybe'; readonly part: Pattern; readonly odds: number }
  | { readonly kind: 'slot'; readonly name: string };

/** How often an optional part is said when sentences are made. */
const ODDS = 0.35;

/**
 * Reads the notation of the grammar: words, `(this|that)`, `[optional]` and `{slot}`, anywhere inside each other.
 * Throws on an unclosed bracket, so that a mistake in the grammar is found at the first use.
 */
export function parsePattern(notation: string): Pattern {
  const tokens = notation.match(/\{\w+\}|[()[\]|]|[^\s()[\]|{}]+/g) ?? [];
  let at = 0;
  const choices = (close: string | undefined): Pattern => {
    const parts: Pattern[] = [];
    for (;;) {
      const items: Pattern[] = [];
      for (; at < tokens.length && tokens[at] !== '|' && tokens[at] !== ')' && tokens[at] !== ']'; at++) {
        const token = tokens[at]!;
        if (token === '(' || token === '[') {
          at++;
          const inner = choices(token === '(' ? ')' : ']');
          items.push(token === '(' ? inner : { kind: 'maybe', part: inner, odds: ODDS });
        } else if (token.startsWith('{')) items.push({ kind: 'slot', name: token.slice(1, -1) });
        else items.push({ kind: 'word', word: token });
      }
      parts.push(items.length === 1 ? items[0]! : { kind: 'all', parts: items });
      if (tokens[at] !== '|') break;
      at++;
    }
    if (tokens[at] !== close) throw new Error(`The pattern "${notation}" has a bracket that does not match.`);
    return parts.length === 1 ? parts[0]! : { kind: 'any', parts };
  };
  return choices(undefined);
}

/** What can be said in a slot: patterns, or something with rules of its own, such as a number. */
export type SlotWords = (name: string) => Pattern | ((random: Random) => string);

/** One sentence of the pattern, chosen by `random`. */
export function say(pattern: Pattern, slots: SlotWords, random: Random): string {
  switch (pattern.kind) {
    case 'word':
      return pattern.word;
    case 'all':
      return pattern.parts
        .map((part) => say(part, slots, random))
        .filter(Boolean)
        .join(' ');
    case 'any':
      return say(pick(pattern.parts, random), slots, random);
    case 'maybe':
      return random() < pattern.odds ? say(pattern.part, slots, random) : '';
    case 'slot': {
      const words = slots(pattern.name);
      return typeof words === 'function' ? words(random) : say(words, slots, random);
    }
  }
}

/** How many different sentences the pattern has; a slot with rules of its own counts as a hundred. */
export function variants(pattern: Pattern, slots: SlotWords): number {
  switch (pattern.kind) {
    case 'word':
      return 1;
    case 'all':
      return pattern.parts.reduce((product, part) => product * variants(part, slots), 1);
    case 'any':
      return pattern.parts.reduce((sum, part) => sum + variants(part, slots), 0);
    case 'maybe':
      return 1 + variants(pattern.part, slots);
    case 'slot': {
      const words = slots(pattern.name);
      return typeof words === 'function' ? 100 : variants(words, slots);
    }
  }
}
