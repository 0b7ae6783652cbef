import type { Decoder, Segment } from './decoder.ts';

/** What the decoding of one utterance says about itself; scores per frame (10 ms) of the words, natural logarithms. */
export type Evidence = {
  /** How well the words explain the sound, against the best that any sounds could; never above 0 by much. */
  readonly fit: number;
  /** How much better a free loop of phones explains it than the words do. */
  readonly gap: number;
  /** Log posterior of the best path, per word. */
  readonly doubt: number;
  /** Log probability of the words in the language model, per word. */
  readonly surprise: number;
  readonly words: number;
};

const NONE: Evidence = { fit: 0, gap: 0, doubt: 0, surprise: 0, words: 0 };
/** Acoustic scores count in steps of 2^10 of the library's logarithm (base 1.0001); those of words are shifted back. */
const SHIFT = 1024;
const LOG_BASE = Math.log(1.0001);

/** What a finished utterance says about itself; without `loop`, nothing. */
export function evidenceOf(decoder: Decoder, loop: Decoder | undefined): Evidence {
  const spoken = decoder.segments().filter(({ word }) => !/^[<[+]/.test(word));
  if (spoken.length === 0 || !loop) return { ...NONE, words: spoken.length };
  const phones = loop.segments();
  let frames = 0;
  let words = 0;
  let free = 0;
  let language = 0;
  for (const word of spoken) {
    frames += word.end - word.start + 1;
    words += word.score;
    language += word.language;
    free += SHIFT * within(phones, word);
  }
  return {
    fit: (words * LOG_BASE) / frames,
    gap: ((free - words) * LOG_BASE) / frames,
    doubt: decoder.logPosterior() / spoken.length,
    surprise: (language * LOG_BASE) / spoken.length,
    words: spoken.length,
  };
}

/** The score of the phones during a word; one that lies half inside counts half. */
function within(phones: readonly Segment[], word: Segment): number {
  let sum = 0;
  for (const phone of phones) {
    const shared = Math.min(phone.end, word.end) - Math.max(phone.start, word.start) + 1;
    if (shared > 0) sum += (phone.score * shared) / (phone.end - phone.start + 1);
  }
  return sum;
}

/** Whether the words are to be believed. */
export function isUnderstood(evidence: Evidence): boolean {
  return evidence.words === 0 || evidence.gap < 3;
}
