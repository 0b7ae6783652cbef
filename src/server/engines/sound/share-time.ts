import type { ReplyWord } from '../../../protocol/messages.ts';

/** A written word and how much it weighs among the others of the same stretch of speech: its phonemes or letters. */
export type WeighedWord = { readonly text: string; readonly weight: number };

/** Where something lies, in samples. */
export type Span = { readonly start: number; readonly end: number };

/** A pause after a mark lasts about as long as this many phonemes. */
const PAUSE = 4;

/** Where words lie that share a stretch of speech, voiced in `span`: an estimate by their weights. */
export function sharedTime(words: readonly WeighedWord[], span: Span): ReplyWord[] {
  // All marks but the last one's come before more speech.
  const pauses = words.map(({ text }, i) => (/[.,;:!?]["')\]]*$/.test(text) && i < words.length - 1 ? PAUSE : 0));
  const total = words.reduce((sum, { weight }, i) => sum + weight + pauses[i]!, 0);
  const size = (weight: number) => (weight / Math.max(1, total)) * (span.end - span.start);
  let at = span.start;
  const places = words.map(({ weight }, i) => {
    const place = { start: at, end: at + size(weight) };
    at = place.end + size(pauses[i]!);
    return place;
  });
  return placed(words, places, span.end);
}

/** The words at their places, in whole samples, in order and none beyond `end`; each begins before it. */
export function placed(words: readonly { readonly text: string }[], places: readonly Span[], end: number): ReplyWord[] {
  const last = Math.max(0, end - 1);
  let before = 0;
  return words.map(({ text }, i) => {
    const start = Math.min(last, Math.max(before, Math.round(places[i]!.start)));
    before = Math.max(start, Math.min(end, Math.round(places[i]!.end)));
    return { text, start, end: before };
  });
}

/** Those of `words` that begin in the `length` samples from `at`, their places counted from `position` samples earlier. */
export function begunIn(words: readonly ReplyWord[], at: number, length: number, position: number): ReplyWord[] {
  return words
    .filter(({ start }) => start >= at && start < at + length)
    .map(({ text, start, end }) => ({ text, start: start + position, end: end + position }));
}
