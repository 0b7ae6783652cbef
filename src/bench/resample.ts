import type { Pcm } from '../protocol/pcm.ts';

const HALF_WIDTH = 24;

/** `sound` at another rate, for files: a windowed sinc (Blackman, 24 zero crossings a side), all at once. */
export function resample(sound: Pcm, rate: number): Pcm {
  if (sound.rate === rate) return sound;
  const { samples } = sound;
  const step = sound.rate / rate;
  // Going down, the cut-off follows the new rate; 0.95 leaves room for the filter's slope.
  const cutoff = Math.min(1, 1 / step) * 0.95;
  const reach = HALF_WIDTH / cutoff;
  const out = new Float32Array(Math.round(samples.length / step));
  for (let i = 0; i < out.length; i++) {
    const centre = i * step;
    let sum = 0;
    for (let j = Math.max(0, Math.ceil(centre - reach)); j <= Math.min(samples.length - 1, centre + reach); j++) {
      const x = j - centre;
      const angle = (Math.PI * x) / reach;
      const window = 0.42 + 0.5 * Math.cos(angle) + 0.08 * Math.cos(2 * angle);
      const phase = Math.PI * cutoff * x;
      sum += samples[j]! * window * cutoff * (phase === 0 ? 1 : Math.sin(phase) / phase);
    }
    out[i] = sum;
  }
  return { rate, samples: out };
}
