import type { Clock } from './clock.ts';
import { spokenDuration } from './duration.ts';

/** A timer that runs; `ends` is in milliseconds since 1970. */
export type RunningTimer = { readonly label: string; readonly ms: number; readonly ends: number };

type Entry = RunningTimer & { readonly stop: AbortController };

const MAX_TIMERS = 50;

/** The timers of one session; each has `say` speak when it is over, and all end with `signal`. */
export class Timers {
  readonly #clock: Clock;
  readonly #say: (sentence: string) => void;
  readonly #signal: AbortSignal;
  readonly #running = new Set<Entry>();

  constructor(clock: Clock, say: (sentence: string) => void, signal: AbortSignal) {
    this.#clock = clock;
    this.#say = say;
    this.#signal = signal;
  }

  /** Those that run, the one that ends first being the first. */
  get running(): readonly RunningTimer[] {
    return [...this.#running].sort((a, b) => a.ends - b.ends);
  }

  /** Starts one; `sentence` is said when it is over, or what its label and length make. Throws when there are too many. */
  set(ms: number, label: string, sentence: string): void {
    if (this.#running.size >= MAX_TIMERS) {
      throw new Error(`${MAX_TIMERS} timers run already, and no more are possible; cancel one first.`);
    }
    const entry: Entry = { label, ms, ends: this.#clock.now().getTime() + ms, stop: new AbortController() };
    this.#running.add(entry);
    void this.#run(entry, sentence || defaultSentence(entry));
  }

  /** Stops those with this label, or all of them when it is empty; gives those that were stopped. */
  cancel(label: string): readonly RunningTimer[] {
    const stopped = [...this.#running].filter((entry) => label === '' || same(entry.label, label));
    for (const entry of stopped) {
      this.#running.delete(entry);
      entry.stop.abort();
    }
    return stopped;
  }

  async #run(entry: Entry, sentence: string): Promise<void> {
    const signal = AbortSignal.any([this.#signal, entry.stop.signal]);
    await this.#clock.wait(entry.ms, signal);
    // A timer that is cancelled in the moment in which it ends is cancelled.
    if (this.#running.delete(entry) && !signal.aborted) this.#say(sentence);
  }
}

function defaultSentence({ ms, label }: RunningTimer): string {
  const length = spokenDuration(ms);
  return label === '' ? `Your timer of ${length} is over.` : `Your timer for ${label}, ${length}, is over.`;
}

const same = (a: string, b: string) => a.trim().toLowerCase() === b.trim().toLowerCase();
