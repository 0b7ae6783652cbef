const DEFAULT_BYTES = 256 * 1024 * 1024;

/** Pictures by the hash of their content; the least lately used make room. */
export class PictureCache {
  readonly #pictures = new Map<string, Uint8Array>();
  readonly #most: number;
  #bytes = 0;

  /** Holds at most `most` bytes. */
  constructor(most = DEFAULT_BYTES) {
    this.#most = most;
  }

  get(hash: string): Uint8Array | undefined {
    const found = this.#pictures.get(hash);
    if (found) {
      this.#pictures.delete(hash);
      this.#pictures.set(hash, found);
    }
    return found;
  }

  set(hash: string, rgb: Uint8Array): void {
    if (this.#pictures.has(hash)) return;
    this.#pictures.set(hash, rgb);
    this.#bytes += rgb.length;
    for (const [oldest, { length }] of this.#pictures) {
      if (this.#bytes <= this.#most) return;
      this.#pictures.delete(oldest);
      this.#bytes -= length;
    }
  }
}
