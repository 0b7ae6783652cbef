import type { Decoder } from './decoder.ts';

/** The library counts the mean it was given as if it had heard it for this many frames. */
const ASSUMED_FRAMES = 500;
/** How many frames (10 ms) of this utterance weigh as much as the model's own mean. */
const PRIOR_FRAMES = 50;

/**
 * Sets the mean that is taken off the features from the beginning of this utterance and `usual`, the model's own.
 * Left to itself the library learns the channel over many seconds, and carries one user's into the next one's speech.
 */
export function adaptCepstralMean(decoder: Decoder, usual: Float32Array, beginning: Int16Array): void {
  decoder.setCepstralMean(usual);
  decoder.start();
  decoder.process(beginning, false);
  decoder.end();
  const { mean, frames } = decoder.cepstralMean();
  const heard = frames - ASSUMED_FRAMES;
  if (heard <= 0) return decoder.setCepstralMean(usual);
  const adapted = usual.map((value, i) => {
    const own = (mean[i]! * frames - value * ASSUMED_FRAMES) / heard;
    return (own * heard + value * PRIOR_FRAMES) / (heard + PRIOR_FRAMES);
  });
  decoder.setCepstralMean(adapted);
}
