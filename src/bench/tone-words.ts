import { PITCHES, pitchOf } from '../server/engines/scripted/tones.ts';

/** One tone found in sound; `index` is that of its word among the sixteen pitches of a phrase, -1 for none of them. */
export type FoundTone = { readonly start: number; readonly end: number; readonly index: number };

/** Softer than any tone, louder than rounding. */
const QUIET = 0.002;
/** Shorter than the silence between two words, longer than a tone's pass through zero. */
const GAP_MS = 8;

/** The tones of the scripted synthesiser in `samples`, found by silence and pitch alone; positions in samples. */
export function findTones(samples: Float32Array, rate: number, pitch: number): FoundTone[] {
  const gap = (GAP_MS * rate) / 1000;
  const found: FoundTone[] = [];
  let start = -1;
  let last = -1;
  const close = () => {
    if (start >= 0) found.push({ start, end: last + 1, index: nearest(frequency(samples, start, last, rate), pitch) });
    start = -1;
  };
  for (let i = 0; i < samples.length; i++) {
    if (Math.abs(samples[i]!) < QUIET) {
      if (i - last >= gap) close();
      continue;
    }
    if (start < 0) start = i;
    last = i;
  }
  close();
  return found;
}

/** In Hz, by the time between the first and the last pass upwards through zero; 0 when there are not two. */
function frequency(samples: Float32Array, start: number, last: number, rate: number): number {
  const passes: number[] = [];
  for (let i = start + 1; i <= last; i++) {
    const [before, now] = [samples[i - 1]!, samples[i]!];
    if (before < 0 && now >= 0) passes.push(i - 1 + before / (before - now));
  }
  return passes.length < 2 ? 0 : ((passes.length - 1) * rate) / (passes.at(-1)! - passes[0]!);
}

function nearest(hertz: number, pitch: number): number {
  const distances = Array.from({ length: PITCHES }, (_, i) => Math.abs(pitchOf(i, pitch) - hertz));
  const least = Math.min(...distances);
  return least < pitch / PITCHES / 2 ? distances.indexOf(least) : -1;
}
