/** Reads a stream of bytes in pieces of one's own length. */
export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #waiting: Uint8Array<ArrayBufferLike> = new Uint8Array(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** The next `count` bytes without taking them; fewer at the end. */
  async peek(count: number): Promise<Uint8Array> {
    while (this.#waiting.length < count) {
      const next = await this.#source.next();
      if (next.done) break;
      const both = new Uint8Array(this.#waiting.length + next.value.length);
      both.set(this.#waiting);
      both.set(next.value, this.#waiting.length);
      this.#waiting = both;
    }
    return this.#waiting.subarray(0, count);
  }

  /** The next `count` bytes; fewer at the end. */
  async take(count: number): Promise<Uint8Array> {
    const taken = await this.peek(count);
    this.#waiting = this.#waiting.subarray(taken.length);
    return taken;
  }

  /** Whole groups of `size` bytes as they come, up to `limit` bytes; what is left over at the end is dropped. */
  async *groups(size: number, limit = Number.POSITIVE_INFINITY): AsyncGenerator<Uint8Array, void, undefined> {
    let left = Math.floor(limit / size) * size;
    while (left > 0) {
      if ((await this.peek(size)).length < size) return;
      const length = Math.min(left, this.#waiting.length - (this.#waiting.length % size));
      left -= length;
      yield await this.take(length);
    }
  }
}
