/** Half the length of the filter, in samples of the lower of the two rates: 3 ms at 16 kHz. */
const HALF_WIDTH = 48;
/** Kaiser's beta for a stop band of -75 dB, 0.1102 (A - 8.7). */
const BETA = 0.1102 * (75 - 8.7);
/** Where the filter is at half its height, as a part of the lower Nyquist frequency; it is shut before 1. */
const CUTOFF = 0.95;
/** Ratios with more phases than this are rounded to the nearest of these. */
const MAX_PHASES = 4096;

/**
 * Changes the sample rate of a stream by a windowed sinc, polyphase, with the position kept in whole numbers, so
 * that it never drifts; output `n` lies exactly at input position `n * from / to`, whatever the sizes of the chunks.
 */
export class Resampler {
  readonly #up: number;
  readonly #down: number;
  readonly #half: number;
  readonly #phases: number;
  readonly #taps: Float32Array;
  #buffer: Float32Array;
  /** How many samples in the buffer, and which input sample the first of them is. */
  #length: number;
  #first: number;
  #index = 0;
  #phase = 0;

  constructor(from: number, to: number) {
    if (!(Number.isInteger(from) && Number.isInteger(to) && from > 0 && to > 0)) {
      throw new RangeError(`Sample rates are whole numbers above 0, not ${from} and ${to}.`);
    }
    const divisor = greatestCommonDivisor(from, to);
    this.#up = to / divisor;
    this.#down = from / divisor;
    this.#half = from === to ? 1 : Math.ceil(HALF_WIDTH * Math.max(1, from / to));
    this.#phases = Math.min(this.#up, MAX_PHASES);
    this.#taps = designTaps(this.#phases, this.#half, from === to ? 1 : CUTOFF * Math.min(1, to / from));
    this.#length = this.#half - 1;
    this.#first = 1 - this.#half;
    this.#buffer = new Float32Array(4 * this.#half + 4096);
  }

  /** How many input samples lie wholly before the next output. */
  get consumed(): number {
    return this.#index;
  }

  /** How many outputs could be read after `more` further input samples. */
  available(more = 0): number {
    const reach = this.#first + this.#length + more - this.#half - this.#index;
    return Math.max(0, Math.ceil((reach * this.#up - this.#phase) / this.#down));
  }

  /** How many outputs could be read if the stream ended after `more` further input samples. */
  availableAtEnd(more = 0): number {
    return this.available(more + this.#half);
  }

  write(input: Float32Array): void {
    const unused = Math.max(0, Math.min(this.#length, this.#index - this.#half + 1 - this.#first));
    if (this.#length + input.length > this.#buffer.length) {
      const needed = this.#length - unused + input.length;
      const target = needed > this.#buffer.length ? new Float32Array(2 * needed) : this.#buffer;
      target.set(this.#buffer.subarray(unused, this.#length));
      this.#buffer = target;
      this.#length -= unused;
      this.#first += unused;
    }
    this.#buffer.set(input, this.#length);
    this.#length += input.length;
  }

  /** Ends the stream: what the filter still held back can be read now. Nothing may be written after it. */
  end(): void {
    this.write(new Float32Array(this.#half));
  }

  /** Reads up to `count` outputs into `out` from `offset` and says how many there were. */
  read(out: Float32Array, offset = 0, count = out.length - offset): number {
    const n = Math.min(count, this.available());
    const width = 2 * this.#half;
    for (let i = 0; i < n; i++) {
      const row = (this.#phases === this.#up ? this.#phase : this.#nearestPhase()) * width;
      const from = this.#index - this.#half + 1 - this.#first;
      let sum = 0;
      for (let k = 0; k < width; k++) sum += this.#taps[row + k]! * this.#buffer[from + k]!;
      out[offset + i] = sum;
      this.#phase += this.#down;
      const whole = Math.floor(this.#phase / this.#up);
      this.#index += whole;
      this.#phase -= whole * this.#up;
    }
    return n;
  }

  #nearestPhase(): number {
    return Math.min(this.#phases - 1, Math.round((this.#phase / this.#up) * this.#phases));
  }
}

function designTaps(phases: number, half: number, cutoff: number): Float32Array {
  const width = 2 * half;
  const taps = new Float32Array(phases * width);
  const whole = besselI0(BETA);
  for (let phase = 0; phase < phases; phase++) {
    const row = new Float64Array(width);
    let sum = 0;
    for (let k = 0; k < width; k++) {
      const x = k - half + 1 - phase / phases;
      const edge = 1 - (x / half) ** 2;
      const angle = Math.PI * cutoff * x;
      const sinc = angle === 0 ? 1 : Math.sin(angle) / angle;
      // Where the rates are equal only the middle counts, and rounding must not blur it.
      row[k] = edge < 0 || Math.abs(sinc) < 1e-12 ? 0 : sinc * (besselI0(BETA * Math.sqrt(edge)) / whole);
      sum += row[k]!;
    }
    // Every phase passes a constant unchanged, or a steady tone would flutter at the rate of the phases.
    for (let k = 0; k < width; k++) taps[phase * width + k] = row[k]! / sum;
  }
  return taps;
}

function besselI0(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > 1e-12 * sum; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
