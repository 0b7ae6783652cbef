/** Runs jobs one after another; urgent ones go before the others that wait. */
export class OneAtATime {
  readonly #urgent: (() => void)[] = [];
  readonly #others: (() => void)[] = [];
  #busy = false;

  /** Runs `job` when its turn comes and gives its result; nothing when `signal` aborted before that. */
  async run<T>(job: () => Promise<T>, urgent: boolean, signal: AbortSignal): Promise<T | undefined> {
    if (this.#busy) await new Promise<void>((resolve) => (urgent ? this.#urgent : this.#others).push(resolve));
    this.#busy = true;
    try {
      return signal.aborted ? undefined : await job();
    } finally {
      const next = this.#urgent.shift() ?? this.#others.shift();
      // The turn is handed on, not given up: nobody who comes now may take it first.
      if (next) next();
      else this.#busy = false;
    }
  }
}
