import { abortable } from '../../../../async/abortable.ts';
import type { Clock } from '../../../clock.ts';
import type { Batch } from '../networks.ts';
import { nextBatch } from './batches.ts';
import type { SpeechStates } from './speech-states.ts';

/** After so long without more of it, speech has paused. */
const PAUSE_MS = 200;

/** Frames that are painted together: `frames` of them from `first` on, in a batch of `size`. */
export type Taken = { readonly first: number; readonly frames: number; readonly size: Batch };

/** Hears a reply's speech as fast as it comes, and says which frames are painted next. */
export class Listening {
  readonly #states: SpeechStates;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  #taken = 0;
  #isIdle = true;
  #failed: { readonly error: unknown } | undefined;
  #wake = () => {};

  /** Begins at once; it ends when the speech does or `signal` aborts. */
  constructor(states: SpeechStates, speech: AsyncIterable<Float32Array>, clock: Clock, signal: AbortSignal) {
    this.#states = states;
    this.#clock = clock;
    this.#signal = signal;
    void this.#listen(speech);
  }

  /** Tells whether nothing is being painted. */
  set isIdle(isIdle: boolean) {
    this.#isIdle = isIdle;
    this.#wake();
  }

  /**
   * The next frames, as soon as it is time for them; undefined once there are no more or the signal has aborted. Rejects with
   * what the speech rejects with.
   */
  async take(): Promise<Taken | undefined> {
    for (let isPaused = false; ; isPaused = await this.#change()) {
      if (this.#failed) throw this.#failed.error;
      if (this.#signal.aborted) return undefined;
      const { ready, ended: isOver } = this.#states;
      const left = ready - this.#taken;
      if (isOver && left === 0) return undefined;
      const batch = nextBatch({ ready: left, isFirst: this.#taken === 0, isIdle: this.#isIdle, isPaused, isOver });
      if (!batch) continue;
      const first = this.#taken;
      this.#taken += batch.frames;
      return { first, ...batch };
    }
  }

  async #listen(speech: AsyncIterable<Float32Array>): Promise<void> {
    try {
      for await (const chunk of abortable(speech, this.#signal)) {
        this.#states.write(chunk);
        this.#wake();
      }
      this.#states.end();
    } catch (error) {
      this.#failed = { error };
    }
    this.#wake();
  }

  /** Waits until something is different; resolves with true where that is only that speech has paused. */
  async #change(): Promise<boolean> {
    const changed = new AbortController();
    this.#wake = () => changed.abort();
    await this.#clock.wait(PAUSE_MS, changed.signal);
    return !changed.signal.aborted;
  }
}
