const KNEE = 0.8;
const TOP = 0.995;

/** A sample below 1, whatever it was: small ones as they are, peaks above 0.8 bent towards 0.995 instead of cut off. */
export function bend(sample: number): number {
  const size = Math.abs(sample);
  if (size <= KNEE) return sample;
  return Math.sign(sample) * (KNEE + (TOP - KNEE) * Math.tanh((size - KNEE) / (TOP - KNEE)));
}
