import { soundSample } from '../../../../protocol/pcm.ts';
import { PowerSpectrum } from '../power-spectrum.ts';

/** Samples per second of the sound that features are taken from. */
export const FEATURE_RATE = 16_000;
/** Samples from one row of features to the next: 10 ms. */
export const HOP = 160;
/** Mel bands of a row. */
export const BANDS = 32;

// As in scripts/train-visemes.py.
const WINDOW = 400;
const SIZE = 512;
const LOWEST_HZ = 80;
const HIGHEST_HZ = 7_600;
const QUIETEST_DB = -45;
const ATTACK = 0.15;
const DECAY_DB = 0.02;

/** What is known of the sound around one moment: rows lie 10 ms apart, the first at the sound's beginning. */
export type FeatureRow = {
  /** Mel bands, 20 dB to the unit, relative to how loud the voice has been; -3 to 2. */
  readonly bands: Float32Array;
  /** How loud the 25 ms around it are, in dB relative to how loud the voice has been; 0 and above are its loudest parts. */
  readonly loudness: number;
};

/** Takes sound (mono, 16 kHz) in pieces of any length and gives features of it, 12.5 ms behind. */
export class MelFeatures {
  readonly #window = Float64Array.from(
    { length: WINDOW },
    (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / WINDOW),
  );
  readonly #energy = this.#window.reduce((sum, value) => sum + value * value, 0);
  readonly #filters = melFilters();
  readonly #spectrum = new PowerSpectrum(SIZE);
  readonly #power = new Float64Array(SIZE / 2 + 1);
  readonly #windowed = new Float64Array(SIZE);
  /** The latest samples; before the beginning there is silence. */
  readonly #latest = new Float64Array(WINDOW);
  #filled = WINDOW / 2;
  #level = QUIETEST_DB;

  *write(samples: Float32Array): Generator<FeatureRow, void, undefined> {
    for (let i = 0; i < samples.length; i++) {
      this.#latest[this.#filled++] = soundSample(samples[i]!);
      if (this.#filled < WINDOW) continue;
      yield this.#row();
      this.#latest.copyWithin(0, HOP);
      this.#filled = WINDOW - HOP;
    }
  }

  #row(): FeatureRow {
    let sum = 0;
    for (let i = 0; i < WINDOW; i++) {
      const sample = this.#latest[i]!;
      sum += sample * sample;
      this.#windowed[i] = sample * this.#window[i]!;
    }
    const loudness = decibels(sum / WINDOW);
    this.#level =
      loudness > this.#level
        ? this.#level + ATTACK * (loudness - this.#level)
        : Math.max(QUIETEST_DB, this.#level - DECAY_DB);
    this.#spectrum.transform(this.#windowed, this.#power);
    const bands = new Float32Array(BANDS);
    for (const [band, { first, weights }] of this.#filters.entries()) {
      let power = 0;
      for (let i = 0; i < weights.length; i++) power += weights[i]! * this.#power[first + i]!;
      const above = decibels(power / this.#energy) - this.#level;
      bands[band] = Math.max(-3, Math.min(2, (above + 10) / 20));
    }
    return { bands, loudness: loudness - this.#level };
  }
}

const decibels = (power: number) => 10 * Math.log10(power + 1e-9);

type Filter = { first: number; weights: number[] };

/** Triangles, evenly spread on the mel scale (2595 log10(1 + f / 700)). */
function melFilters(): Filter[] {
  const mel = (hertz: number) => 2595 * Math.log10(1 + hertz / 700);
  const [from, to] = [mel(LOWEST_HZ), mel(HIGHEST_HZ)];
  const edge = (i: number) => 700 * (10 ** ((from + ((to - from) * i) / (BANDS + 1)) / 2595) - 1);
  return Array.from({ length: BANDS }, (_, band) => {
    const [low, middle, high] = [edge(band), edge(band + 1), edge(band + 2)];
    const first = Math.ceil((low * SIZE) / FEATURE_RATE);
    const last = Math.floor((high * SIZE) / FEATURE_RATE);
    const weights = Array.from({ length: last - first + 1 }, (_, i) => {
      const hertz = ((first + i) * FEATURE_RATE) / SIZE;
      return Math.max(0, Math.min((hertz - low) / (middle - low), (high - hertz) / (high - middle)));
    });
    return { first, weights };
  });
}
