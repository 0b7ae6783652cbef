import type { SpokenWord } from './spoken-form.ts';

/**
 * Cuts words into pieces to be said one by one: at the ends of sentences, after `long` tokens at a comma and after
 * `tooLong` anywhere.
 */
export function pieces(words: readonly SpokenWord[], long = 28, tooLong = 40): SpokenWord[][] {
  const out: SpokenWord[][] = [];
  let piece: SpokenWord[] = [];
  let tokens = 0;
  for (const word of words) {
    piece.push(word);
    tokens += word.tokens.length;
    const mark = word.tokens.at(-1)?.punctuation ?? '';
    const isEnd = /[.!?]/.test(mark) || (tokens >= long && /[,;:]/.test(mark)) || tokens >= tooLong;
    if (!isEnd) continue;
    out.push(piece);
    piece = [];
    tokens = 0;
  }
  // Words without sound at the end go with those before, for each has its place among the words of the phrase.
  if (tokens === 0 && out.length > 0) out.at(-1)!.push(...piece);
  else if (piece.length > 0) out.push(piece);
  return out;
}
