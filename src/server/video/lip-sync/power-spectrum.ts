/** Power spectra of pieces of sound whose length is even and whose half has small factors, such as 400 and 512 samples. */
export class PowerSpectrum {
  readonly #half: number;
  /** Lengths of the transforms that the one of half the length is made of. */
  readonly #factors: readonly number[];
  /** Of the whole length: e^(-2 pi i k / size). */
  readonly #cos: Float64Array;
  readonly #sin: Float64Array;
  #re: Float64Array;
  #im: Float64Array;
  #nextRe: Float64Array;
  #nextIm: Float64Array;

  /** `size` is how many samples are transformed at a time. */
  constructor(size: number) {
    this.#half = size / 2;
    this.#factors = factorsOf(this.#half);
    this.#cos = Float64Array.from({ length: size }, (_, k) => Math.cos((2 * Math.PI * k) / size));
    this.#sin = Float64Array.from({ length: size }, (_, k) => -Math.sin((2 * Math.PI * k) / size));
    this.#re = new Float64Array(this.#half);
    this.#im = new Float64Array(this.#half);
    this.#nextRe = new Float64Array(this.#half);
    this.#nextIm = new Float64Array(this.#half);
  }

  /** Squared magnitudes of the first size / 2 + 1 frequencies of `samples` into `power`. */
  transform(samples: Float64Array, power: Float64Array): void {
    const half = this.#half;
    // Real samples, taken in pairs as complex numbers, need a transform of only half the length.
    for (let i = 0; i < half; i++) {
      this.#re[i] = samples[2 * i]!;
      this.#im[i] = samples[2 * i + 1]!;
    }
    let length = half;
    for (const factor of this.#factors) {
      this.#pass(length, factor);
      length /= factor;
    }
    const [re, im] = [this.#re, this.#im];
    for (let k = 0; k <= half; k++) {
      const [a, b] = [k % half, (half - k) % half];
      const [evenRe, evenIm] = [(re[a]! + re[b]!) / 2, (im[a]! - im[b]!) / 2];
      const [oddRe, oddIm] = [(im[a]! + im[b]!) / 2, (re[b]! - re[a]!) / 2];
      const [cos, sin] = [this.#cos[k]!, this.#sin[k]!];
      power[k] = (evenRe + oddRe * cos - oddIm * sin) ** 2 + (evenIm + oddRe * sin + oddIm * cos) ** 2;
    }
  }

  /** One step of the mixed-radix transform that sorts itself (Stockham's): transforms of `length` become ones of length / factor. */
  #pass(length: number, factor: number): void {
    const [re, im, toRe, toIm, half] = [this.#re, this.#im, this.#nextRe, this.#nextIm, this.#half];
    const stride = half / length;
    const rest = length / factor;
    for (let p = 0; p < rest; p++) {
      for (let k = 0; k < factor; k++) {
        const to = stride * (factor * p + k);
        toRe.fill(0, to, to + stride);
        toIm.fill(0, to, to + stride);
        for (let j = 0; j < factor; j++) {
          const from = stride * (p + rest * j);
          const turn = 2 * ((k * from) % half);
          const [cos, sin] = [this.#cos[turn]!, this.#sin[turn]!];
          for (let q = 0; q < stride; q++) {
            toRe[to + q] = toRe[to + q]! + re[from + q]! * cos - im[from + q]! * sin;
            toIm[to + q] = toIm[to + q]! + re[from + q]! * sin + im[from + q]! * cos;
          }
        }
      }
    }
    this.#re = toRe;
    this.#im = toIm;
    this.#nextRe = re;
    this.#nextIm = im;
  }
}

function factorsOf(length: number): number[] {
  const factors: number[] = [];
  for (let factor = 2; length > 1; factor++) {
    for (; length % factor === 0; length /= factor) factors.push(factor);
  }
  return factors;
}
