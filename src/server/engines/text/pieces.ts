import type { SpokenWord } from './spoken-form.ts';

const LONG = 28;
const TOO_LONG = 40;

/** Cuts words into pieces to be said one by one: at the ends of sentences, and long ones at a comma or, at worst, anywhere. */
export function pieces(words: readonly SpokenWord[]): SpokenWord[][] {
  const out: SpokenWord[][] = [];
  let piece: SpokenWord[] = [];
  let tokens = 0;
  for (const word of words) {
    piece.push(word);
    tokens += word.tokens.length;
    const mark = word.tokens.at(-1)?.punctuation ?? '';
    const isEnd = /[.!?]/.test(mark) || (tokens >= LONG && /[,;:]/.test(mark)) || tokens >= TOO_LONG;
    if (!isEnd) continue;
    out.push(piece);
    piece = [];
    tokens = 0;
  }
  if (piece.length > 0) out.push(piece);
  return out;
}
