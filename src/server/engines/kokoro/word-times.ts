import type { ReplyWord } from '../../../protocol/messages.ts';
import type { UtteredWord } from './utterance.ts';

/** Where the speech lies that the words share among them, in samples. */
export type Span = { readonly start: number; readonly end: number };

/** A pause after a mark lasts about as long as this many phonemes. */
const PAUSE_PHONEMES = 4;

/**
 * Where each word lies: an estimate, by the share of the phonemes that each has of them all. `durations`, where the network
 * tells them, are those of the padding, each token, and the padding again, in any unit; they make it exact.
 */
export function wordTimes(
  words: readonly UtteredWord[],
  span: Span,
  durations?: { readonly ofTokens: ArrayLike<number>; readonly samples: number; readonly skipped: number },
): ReplyWord[] {
  const places = durations ? measured(words, durations) : shared(words, span);
  const last = Math.max(0, span.end - 1);
  let before = 0;
  return words.map(({ text }, i) => {
    const start = Math.min(last, Math.max(before, Math.round(places[i]!.start)));
    const end = Math.max(start, Math.min(span.end, Math.round(places[i]!.end)));
    before = end;
    return { text, start, end };
  });
}

function shared(words: readonly UtteredWord[], { start, end }: Span): Span[] {
  // All marks but the last one's come before more speech.
  const pauses = words.map(({ text }, i) =>
    /[.,;:!?]["')\]]*$/.test(text) && i < words.length - 1 ? PAUSE_PHONEMES : 0,
  );
  const total = words.reduce((sum, word, i) => sum + word.phonemes + pauses[i]!, 0);
  let at = start;
  const size = (phonemes: number) => (phonemes / Math.max(1, total)) * (end - start);
  return words.map(({ phonemes }, i) => {
    const place = { start: at, end: at + size(phonemes) };
    at = place.end + size(pauses[i]!);
    return place;
  });
}

function measured(
  words: readonly UtteredWord[],
  { ofTokens, samples, skipped }: { ofTokens: ArrayLike<number>; samples: number; skipped: number },
): Span[] {
  const total = Array.from(ofTokens).reduce((sum, duration) => sum + duration, 0);
  const place = (sum: number) => (sum / Math.max(1, total)) * samples - skipped;
  let [token, sum] = [1, ofTokens[0] ?? 0];
  return words.map(({ tokens }) => {
    const start = place(sum);
    for (const end = token + tokens; token < end; token++) sum += ofTokens[token] ?? 0;
    return { start, end: place(sum) };
  });
}
