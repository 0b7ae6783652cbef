import { whenAborted } from '../async/when-aborted.ts';
import { type Clock, systemClock } from './clock.ts';

/** Knows whether anybody talks, user or reply, and for how long nobody has; heavy work runs only in between. */
export class Quiet {
  readonly #clock: Clock;
  readonly #talkers = new Set<unknown>();
  /** When it last fell quiet. The start counts as talk: the first user may be about to begin. */
  #since: number;
  #talk = new AbortController();
  #hush = new AbortController();

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
    this.#since = clock.now();
  }

  /** Says whether `who`, such as one conversation, talks from now on: its user speaks or its reply plays. */
  talks(talking: boolean, who: unknown = this): void {
    const before = this.talking;
    if (talking) this.#talkers.add(who);
    else this.#talkers.delete(who);
    if (this.talking === before) return;
    if (this.talking) {
      this.#hush = new AbortController();
      this.#talk.abort();
    } else {
      this.#since = this.#clock.now();
      this.#talk = new AbortController();
      this.#hush.abort();
    }
  }

  /** Whether anybody talks right now. */
  get talking(): boolean {
    return this.#talkers.size > 0;
  }

  /** Aborts as soon as anybody talks; aborted already while somebody does. */
  get talk(): AbortSignal {
    return this.#talk.signal;
  }

  /** Resolves once nobody has talked for `seconds`; rejects with `signal`'s reason when it aborts. */
  async whenQuiet(seconds: number, signal: AbortSignal): Promise<void> {
    const left = () => this.#since + 1_000 * seconds - this.#clock.now();
    for (;;) {
      signal.throwIfAborted();
      if (this.talking) await whenAborted(AbortSignal.any([signal, this.#hush.signal]));
      else if (left() > 0) await this.#clock.wait(left(), AbortSignal.any([signal, this.#talk.signal]));
      else return;
    }
  }
}
