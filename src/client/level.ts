/** Root mean square of the samples on a scale for the eye: 0 at -60 dB and below, 1 at -6 dB and above. */
export function levelOf(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const db = 10 * Math.log10(sum / Math.max(1, samples.length) + 1e-12);
  return Math.max(0, Math.min(1, (db + 60) / 54));
}
