/** Where pushing meets pulling: an unbounded first-in first-out queue for one reader. */
export class Queue<T> implements AsyncIterable<T> {
  readonly #items: T[] = [];
  #head = 0;
  #ended: { error?: unknown } | undefined;
  #wake: (() => void) | undefined;

  get length(): number {
    return this.#items.length - this.#head;
  }

  /** Adds an item; after `end` or `fail` it is dropped. */
  push(item: T): void {
    if (this.#ended) return;
    this.#items.push(item);
    this.#wake?.();
  }

  /** Lets the reader finish once it has read what is there. */
  end(): void {
    this.#ended ??= {};
    this.#wake?.();
  }

  /** Like `end`, but the reader then gets `error`. */
  fail(error: unknown): void {
    this.#ended ??= { error };
    this.#wake?.();
  }

  /** Drops what has not been read. */
  clear(): void {
    this.#items.length = 0;
    this.#head = 0;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      while (this.#head < this.#items.length) {
        const item = this.#items[this.#head]!;
        this.#items[this.#head++] = undefined as T;
        if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
          this.#items.splice(0, this.#head);
          this.#head = 0;
        }
        yield item;
      }
      this.clear();
      if (this.#ended) {
        if ('error' in this.#ended) throw this.#ended.error;
        return;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }
}
