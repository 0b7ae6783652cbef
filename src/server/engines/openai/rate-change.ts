import { joinedSamples } from '../../../protocol/pcm.ts';

/** Zero crossings of the sinc on either side; more make the band's edge steeper. */
const CROSSINGS = 16;
/** What is left of the band, so that nothing above the lower rate's half comes through. */
const BAND = 0.94;

/** Changes the rate of a stream of samples by a windowed sinc (Hann); `n` samples become `n * to / from`. */
export class RateChange {
  readonly #from: number;
  readonly #to: number;
  readonly #cutoff: number;
  readonly #reach: number;
  /** The weights for each place that a new sample can have between two old ones. */
  readonly #weights = new Map<number, Float32Array>();
  #waiting: Float32Array;
  /** Where the first waiting sample lies in the stream that comes in. */
  #start: number;
  #received = 0;
  #made = 0;

  constructor(from: number, to: number) {
    this.#from = from;
    this.#to = to;
    this.#cutoff = Math.min(1, to / from) * BAND;
    this.#reach = Math.ceil(CROSSINGS / this.#cutoff);
    this.#start = -this.#reach;
    this.#waiting = new Float32Array(this.#reach);
  }

  /** What can be made now that these samples have come. */
  add(samples: Float32Array): Float32Array {
    this.#received += samples.length;
    this.#append(samples);
    const last = this.#start + this.#waiting.length - 1 - this.#reach;
    return this.#make(last < 0 ? 0 : Math.floor((last * this.#to) / this.#from) + 1);
  }

  /** The rest, when no more will come. */
  end(): Float32Array {
    this.#append(new Float32Array(2 * this.#reach + 2));
    return this.#make(Math.round((this.#received * this.#to) / this.#from));
  }

  #append(samples: Float32Array): void {
    this.#waiting = joinedSamples([this.#waiting, samples]);
  }

  /** Makes samples until there are `until` of them in all. */
  #make(until: number): Float32Array {
    const made = new Float32Array(Math.max(0, until - this.#made));
    let from = this.#start;
    for (let i = 0; i < made.length; i++) {
      const at = (this.#made + i) * this.#from;
      const whole = Math.floor(at / this.#to);
      const weights = this.#weightsAt(at - whole * this.#to);
      from = whole - this.#reach + 1;
      let sum = 0;
      for (let tap = 0; tap < weights.length; tap++)
        sum += (this.#waiting[from + tap - this.#start] ?? 0) * weights[tap]!;
      made[i] = sum;
    }
    this.#made += made.length;
    const gone = Math.max(0, from - this.#start);
    this.#waiting = this.#waiting.slice(gone);
    this.#start += gone;
    return made;
  }

  /** For a sample that lies `after / to` of a sample after an old one. */
  #weightsAt(after: number): Float32Array {
    const known = this.#weights.get(after);
    if (known) return known;
    const weights = Float32Array.from({ length: 2 * this.#reach }, (_, tap) => {
      const distance = tap - this.#reach + 1 - after / this.#to;
      const x = Math.PI * distance * this.#cutoff;
      return (x === 0 ? 1 : Math.sin(x) / x) * (0.5 + 0.5 * Math.cos((Math.PI * distance) / (this.#reach + 1)));
    });
    const sum = weights.reduce((total, weight) => total + weight, 0);
    this.#weights.set(
      after,
      weights.map((weight) => weight / sum),
    );
    return this.#weightsAt(after);
  }
}
