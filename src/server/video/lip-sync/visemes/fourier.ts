/** Power spectra of short pieces of sound, by the fast Fourier transform (radix 2, in place). */
export class PowerSpectrum {
  readonly #size: number;
  readonly #re: Float64Array;
  readonly #im: Float64Array;
  readonly #cos: Float64Array;
  readonly #sin: Float64Array;
  readonly #swaps: Uint16Array;

  /** `size` is how many samples are transformed at a time: a power of two. */
  constructor(size: number) {
    this.#size = size;
    this.#re = new Float64Array(size);
    this.#im = new Float64Array(size);
    this.#cos = Float64Array.from({ length: size / 2 }, (_, i) => Math.cos((2 * Math.PI * i) / size));
    this.#sin = Float64Array.from({ length: size / 2 }, (_, i) => -Math.sin((2 * Math.PI * i) / size));
    const bits = Math.log2(size);
    this.#swaps = Uint16Array.from({ length: size }, (_, i) => {
      let reversed = 0;
      for (let bit = 0; bit < bits; bit++) reversed |= ((i >> bit) & 1) << (bits - 1 - bit);
      return reversed;
    });
  }

  /** Squared magnitudes of the first size / 2 + 1 frequencies of `samples` (padded with zeros to the size) into `power`. */
  transform(samples: Float64Array, power: Float64Array): void {
    const [size, re, im] = [this.#size, this.#re, this.#im];
    for (let i = 0; i < size; i++) re[this.#swaps[i]!] = samples[i] ?? 0;
    im.fill(0);
    for (let half = 1; half < size; half *= 2) {
      const step = size / (2 * half);
      for (let start = 0; start < size; start += 2 * half) {
        for (let k = 0; k < half; k++) {
          const [cos, sin] = [this.#cos[k * step]!, this.#sin[k * step]!];
          const [a, b] = [start + k, start + k + half];
          const real = re[b]! * cos - im[b]! * sin;
          const imaginary = re[b]! * sin + im[b]! * cos;
          re[b] = re[a]! - real;
          im[b] = im[a]! - imaginary;
          re[a] = re[a]! + real;
          im[a] = im[a]! + imaginary;
        }
      }
    }
    for (let i = 0; i <= size / 2; i++) power[i] = re[i]! ** 2 + im[i]! ** 2;
  }
}
