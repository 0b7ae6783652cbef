import { orAborted } from '../../../../async/or-aborted.ts';
import type { PreparedFace } from './prepare-face.ts';

const DEFAULT_BYTES = 64 * 1024 * 1024;

/** Prepared faces by what they were made of; the least lately used make room. Whoever asks for one that is being made waits for it. */
export class KeptFaces {
  readonly #faces = new Map<string, PreparedFace>();
  readonly #making = new Map<string, { readonly face: Promise<PreparedFace>; readonly signal: AbortSignal }>();
  readonly #most: number;
  #bytes = 0;

  /** Holds at most `most` bytes. */
  constructor(most = DEFAULT_BYTES) {
    this.#most = most;
  }

  /** The face of that key, made by `make` where it is not here; rejects as that does, and with the signal's reason. */
  async get(key: string, make: () => Promise<PreparedFace>, signal: AbortSignal): Promise<PreparedFace> {
    for (;;) {
      signal.throwIfAborted();
      const kept = this.#faces.get(key);
      if (kept) {
        this.#faces.delete(key);
        this.#faces.set(key, kept);
        return kept;
      }
      const making = this.#making.get(key);
      if (!making) return this.#make(key, make, signal);
      try {
        return await orAborted(making.face, signal);
      } catch (error) {
        // Whoever made it does not want it any more; we still do.
        if (signal.aborted || !making.signal.aborted) throw error;
      }
    }
  }

  async #make(key: string, make: () => Promise<PreparedFace>, signal: AbortSignal): Promise<PreparedFace> {
    const face = make();
    this.#making.set(key, { face, signal });
    try {
      this.#keep(key, await face);
      return await face;
    } finally {
      this.#making.delete(key);
    }
  }

  #keep(key: string, face: PreparedFace): void {
    this.#faces.set(key, face);
    this.#bytes += bytesOf(face);
    for (const [oldest, one] of this.#faces) {
      if (this.#bytes <= this.#most) return;
      this.#faces.delete(oldest);
      this.#bytes -= bytesOf(one);
    }
  }
}

const bytesOf = ({ latents, mask }: PreparedFace): number => latents.byteLength + mask.alpha.byteLength;
