import { PowerSpectrum } from '../../power-spectrum.ts';
import { MEL_BANDS, MEL_COLUMNS, SEGMENT_SECONDS, SPEECH_RATE } from '../networks.ts';

/** Samples of one segment. */
export const SEGMENT_SAMPLES = SEGMENT_SECONDS * SPEECH_RATE;

// As whisper's feature extractor: 25 ms every 10 ms, four tens of dB per unit, 80 dB below the loudest cut off.
const WINDOW = 400;
const HOP = SPEECH_RATE / 100;
const LEAST_POWER = 1e-10;
const SILENCE = Math.log10(LEAST_POWER);
const DEPTH = 8;

const window = Float64Array.from({ length: WINDOW }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / WINDOW));
const filters = melFilters();

/**
 * Whisper's log-mel of one segment of sound (mono, -1 to 1, 16 kHz), which is written in pieces of any length, and silent where
 * nothing has been written.
 */
export class LogMel {
  readonly #samples = new Float32Array(SEGMENT_SAMPLES);
  /** Logarithms, one column after another, before what is 80 dB below the loudest is cut off. */
  readonly #columns = new Float32Array(MEL_COLUMNS * MEL_BANDS).fill(SILENCE);
  readonly #spectrum = new PowerSpectrum(WINDOW);
  readonly #windowed = new Float64Array(WINDOW);
  readonly #power = new Float64Array(WINDOW / 2 + 1);
  #length = 0;
  /** How many columns nothing can change any more. */
  #complete = 0;

  /** How many samples were written. */
  get length(): number {
    return this.#length;
  }

  /** Takes as many samples as the segment still has room for, and says how many. */
  write(samples: Float32Array): number {
    const count = Math.min(samples.length, SEGMENT_SAMPLES - this.#length);
    for (let i = 0; i < count; i++) {
      const sample = samples[i]!;
      this.#samples[this.#length + i] = Number.isFinite(sample) ? sample : 0;
    }
    this.#length += count;
    const whole = this.#length === SEGMENT_SAMPLES;
    const complete = whole ? MEL_COLUMNS : Math.max(0, Math.floor((this.#length - WINDOW / 2) / HOP) + 1);
    for (; this.#complete < complete; this.#complete++) this.#compute(this.#complete);
    return count;
  }

  /** The log-mel [80, 3000] of what was written and silence after it, as the whole segment's. */
  mel(): Float32Array {
    const heard = Math.min(MEL_COLUMNS, Math.ceil((this.#length + WINDOW / 2) / HOP));
    // Those at the end still hear the silence that is after them for now.
    for (let column = this.#complete; column < heard; column++) this.#compute(column);
    const end = heard * MEL_BANDS;
    let loudest = SILENCE;
    for (let i = 0; i < end; i++) loudest = Math.max(loudest, this.#columns[i]!);
    const least = Math.max(SILENCE, loudest - DEPTH);
    const mel = new Float32Array(MEL_BANDS * MEL_COLUMNS).fill((least + 4) / 4);
    for (let band = 0; band < MEL_BANDS; band++) {
      for (let column = 0; column < heard; column++) {
        mel[band * MEL_COLUMNS + column] = (Math.max(least, this.#columns[column * MEL_BANDS + band]!) + 4) / 4;
      }
    }
    return mel;
  }

  #compute(column: number): void {
    const first = column * HOP - WINDOW / 2;
    for (let i = 0; i < WINDOW; i++) this.#windowed[i] = window[i]! * this.#sample(first + i);
    this.#spectrum.transform(this.#windowed, this.#power);
    for (const [band, { first: bin, weights }] of filters.entries()) {
      let power = 0;
      for (let i = 0; i < weights.length; i++) power += weights[i]! * this.#power[bin + i]!;
      this.#columns[column * MEL_BANDS + band] = Math.log10(Math.max(LEAST_POWER, power));
    }
  }

  /** Beyond its ends the segment is heard backwards. */
  #sample(at: number): number {
    if (at < 0) return this.#samples[-at]!;
    return this.#samples[at < SEGMENT_SAMPLES ? at : 2 * (SEGMENT_SAMPLES - 1) - at]!;
  }
}

type Filter = { readonly first: number; readonly weights: Float64Array };

/** Slaney's triangles of equal area, evenly spread from 0 to 8 kHz on his scale: 200/3 Hz a step to 1 kHz, then 27 steps to 6.4 times that. */
function melFilters(): Filter[] {
  const steps = 15 + (27 * Math.log(SPEECH_RATE / 2 / 1_000)) / Math.log(6.4);
  const edge = (i: number) => {
    const mel = (steps * i) / (MEL_BANDS + 1);
    return mel < 15 ? (200 * mel) / 3 : 1_000 * 6.4 ** ((mel - 15) / 27);
  };
  const hertz = SPEECH_RATE / WINDOW;
  return Array.from({ length: MEL_BANDS }, (_, band) => {
    const [low, middle, high] = [edge(band), edge(band + 1), edge(band + 2)];
    const first = Math.ceil(low / hertz);
    const weights = Float64Array.from({ length: Math.floor(high / hertz) - first + 1 }, (_, i) => {
      const at = (first + i) * hertz;
      return (Math.max(0, Math.min((at - low) / (middle - low), (high - at) / (high - middle))) * 2) / (high - low);
    });
    return { first, weights };
  });
}
