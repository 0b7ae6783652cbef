import type { ClientMessage } from '../protocol/messages.ts';

type Played = Extract<ClientMessage, { type: 'played' }>;

/** Milliseconds between two reports of a turn. */
const REPORT_MS = 100;

/**
 * Makes `played` messages from what the speaker has put out: takes off what the device still holds back, never lets
 * a turn's count fall, and says at most ten times a second how far it is.
 */
export class HeardSamples {
  readonly #rate: number;
  #turn = 0;
  #samples = 0;
  #sentAt = Number.NEGATIVE_INFINITY;
  #sent = -1;

  /** `rate` is that of the speech, in samples per second. */
  constructor(rate: number) {
    this.#rate = rate;
  }

  /** Samples of a turn that have left the device, so far as is known. */
  of(turn: number): number {
    return turn === this.#turn ? this.#samples : 0;
  }

  /** The message that is due, if one is: `samples` were put out, and the device is `latencyMs` behind. */
  progress(turn: number, samples: number, latencyMs: number, nowMs: number): Played | undefined {
    if (turn < this.#turn || turn === 0) return undefined;
    if (turn > this.#turn) this.#begin(turn);
    const left = Math.max(0, Math.round(samples - (latencyMs / 1000) * this.#rate));
    this.#samples = Math.max(this.#samples, left);
    if (this.#samples === this.#sent || nowMs - this.#sentAt < REPORT_MS) return undefined;
    this.#sentAt = nowMs;
    this.#sent = this.#samples;
    return { type: 'played', turn, samples: this.#samples };
  }

  /** The last message of a turn, of which exactly `samples` were put out. */
  final(turn: number, samples: number): Played {
    if (turn > this.#turn) this.#begin(turn);
    if (turn === this.#turn) this.#samples = this.#sent = samples;
    return { type: 'played', turn, samples, final: true };
  }

  #begin(turn: number): void {
    this.#turn = turn;
    this.#samples = 0;
    this.#sent = -1;
    this.#sentAt = Number.NEGATIVE_INFINITY;
  }
}
