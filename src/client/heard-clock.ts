/** A report of the speaker: sample `samples` of the turn's speech leaves the loudspeaker at `atMs` of the page's clock. */
export type SoundReport = {
  readonly turn: number;
  readonly samples: number;
  readonly atMs: number;
  /** How much sound follows it without a gap. */
  readonly bufferedMs: number;
};

/** How much of which reply has been heard; negative while its first sample is still on its way to the loudspeaker. */
export type Heard = { readonly turn: number; readonly seconds: number };

/** A difference above this is no jitter of the clocks: the sound had a gap. */
const GAP_MS = 30;
/** How much of a smaller difference is believed. */
const TRUST = 0.15;

/** What of a reply is heard at any moment, from the speaker's reports some 25 times a second. */
export class HeardClock {
  readonly #rate: number;
  #last: SoundReport | undefined;
  /** When sample 0 of the turn left the loudspeaker, or would have without the gaps since. */
  #zeroMs = 0;

  /** `rate` is that of the speech, in samples per second. */
  constructor(rate: number) {
    this.#rate = rate;
  }

  /** Takes a report in; those of older turns are left out. */
  report(report: SoundReport): void {
    const turn = this.#last?.turn ?? 0;
    if (report.turn < turn || report.turn === 0 || report.samples === 0) return;
    const zeroMs = report.atMs - (report.samples / this.#rate) * 1000;
    const apart = zeroMs - this.#zeroMs;
    if (report.turn > turn || Math.abs(apart) > GAP_MS) this.#zeroMs = zeroMs;
    else this.#zeroMs += TRUST * apart;
    this.#last = report;
  }

  /** What is heard at `nowMs` of the page's clock, never more than has been made; undefined before the first sound. */
  at(nowMs: number): Heard | undefined {
    if (!this.#last) return undefined;
    const { turn, samples, bufferedMs } = this.#last;
    const known = samples / this.#rate + bufferedMs / 1000;
    return { turn, seconds: Math.min(known, (nowMs - this.#zeroMs) / 1000) };
  }

  /** When the first sample of `turn` left the loudspeaker; undefined if that is not the turn that sounds. */
  beganMs(turn: number): number | undefined {
    return this.#last?.turn === turn ? this.#zeroMs : undefined;
  }
}
