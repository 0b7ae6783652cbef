import type { MicMode } from '../protocol/messages.ts';

/** What goes to the server about the microphone, in the order it happened. */
export type MicItem = { readonly frame: Float32Array } | { readonly mode: MicMode };

/** A frame of 32 ms: this many make about 10 s. */
const MAX_FRAMES = 312;
/** How many frames may go for each one that is recorded: four times as fast as they were spoken. */
const CATCH_UP = 4;

/**
 * Keeps what was said while the connection opens (the last 10 s), and lets it go faster than it came but not all at
 * once, because a server takes a flood for an attack.
 */
export class MicOutbox {
  #items: MicItem[] = [];
  #frames = 0;

  /** The time that waits, in frames of 32 ms. */
  get frames(): number {
    return this.#frames;
  }

  push(item: MicItem): void {
    this.#items.push(item);
    if ('mode' in item) return;
    this.#frames++;
    while (this.#frames > MAX_FRAMES) this.#dropOldest();
  }

  /** What may go now; call it once for each frame that was recorded, and once for each change of mode. */
  take(): MicItem[] {
    let frames = 0;
    let count = 0;
    for (const item of this.#items) {
      if ('frame' in item && ++frames > CATCH_UP) break;
      count++;
    }
    const taken = this.#items.splice(0, count);
    this.#frames -= taken.filter((item) => 'frame' in item).length;
    return taken;
  }

  /** Forgets all, for a microphone that was closed. */
  clear(): void {
    this.#items = [];
    this.#frames = 0;
  }

  #dropOldest(): void {
    const oldest = this.#items.findIndex((item) => 'frame' in item);
    this.#items.splice(oldest, 1);
    this.#frames--;
  }
}
