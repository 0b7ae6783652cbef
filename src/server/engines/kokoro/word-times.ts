import type { ReplyWord } from '../../../protocol/messages.ts';
import { placed, type Span, sharedTime } from '../sound/share-time.ts';
import type { UtteredWord } from './utterance.ts';

/** What the network tells of its tokens: how long the padding, each token, and the padding again last, in any unit. */
export type Durations = {
  readonly ofTokens: ArrayLike<number>;
  /** All that was made, and how much of its beginning is not played. */
  readonly samples: number;
  readonly skipped: number;
};

/** Where each word lies: exactly, where the network tells how long its tokens last, else an estimate by phonemes. */
export function wordTimes(words: readonly UtteredWord[], voiced: Span, durations?: Durations): ReplyWord[] {
  if (durations) return placed(words, measured(words, durations), voiced.end);
  return sharedTime(
    words.map(({ text, phonemes }) => ({ text, weight: phonemes })),
    voiced,
  );
}

function measured(words: readonly UtteredWord[], { ofTokens, samples, skipped }: Durations): Span[] {
  const total = Array.from(ofTokens).reduce((sum, duration) => sum + duration, 0);
  const place = (sum: number) => (sum / Math.max(1, total)) * samples - skipped;
  let [token, sum] = [1, ofTokens[0] ?? 0];
  return words.map(({ tokens }) => {
    const start = place(sum);
    for (const end = token + tokens; token < end; token++) sum += ofTokens[token] ?? 0;
    return { start, end: place(sum) };
  });
}
