/** Lets one through at a time, in order. */
export class Turnstile {
  #last: Promise<void> = Promise.resolve();
  #inside = 0;

  /** Whether somebody is inside or waits. */
  get busy(): boolean {
    return this.#inside > 0;
  }

  /** Runs `work` once all that came before has ended. */
  async pass<T>(work: () => Promise<T>): Promise<T> {
    this.#inside++;
    const run = this.#last.then(work);
    this.#last = run.then(
      () => {},
      () => {},
    );
    try {
      return await run;
    } finally {
      this.#inside--;
    }
  }
}
