/** A value that changes; each reader sees the newest, and skips what it was too slow for. */
export class Latest<T> {
  #value: T;
  #version = 0;
  readonly #readers = new Set<() => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  set(value: T): void {
    this.#value = value;
    this.#version++;
    for (const wake of this.#readers) wake();
  }

  /** The values from now on, until `signal` aborts. */
  changes(signal: AbortSignal): AsyncGenerator<T, void, undefined> {
    return this.#since(this.#version, signal);
  }

  async *#since(version: number, signal: AbortSignal): AsyncGenerator<T, void, undefined> {
    let seen = version;
    while (!signal.aborted) {
      if (seen !== this.#version) {
        seen = this.#version;
        yield this.#value;
      } else {
        await new Promise<void>((resolve) => {
          const wake = () => {
            this.#readers.delete(wake);
            signal.removeEventListener('abort', wake);
            resolve();
          };
          this.#readers.add(wake);
          signal.addEventListener('abort', wake, { once: true });
        });
      }
    }
  }
}
