import type { LlamaContextSequence } from 'node-llama-cpp';
import type { Memory } from './prompt.ts';

/** One sequence of the context: the conversation it has evaluated last, and what there is to remember of it. */
export type Slot = {
  readonly sequence: LlamaContextSequence;
  memories: Memory[];
  /** How long the prompt was to which it has written a whole reply; 0 when that was broken off. */
  answered: number;
  lastUsed: number;
  /** The signal of the reply that it is writing. */
  user: AbortSignal | undefined;
};

/** The sequences, each lent to one reply at a time; who comes when all are lent waits for its turn. */
export class Slots {
  readonly #slots: readonly Slot[];
  readonly #waiting: object[] = [];
  #wake: (() => void)[] = [];
  #uses = 0;

  constructor(sequences: readonly LlamaContextSequence[]) {
    this.#slots = sequences.map((sequence) => ({ sequence, memories: [], answered: 0, lastUsed: 0, user: undefined }));
  }

  /** Lends the sequence that `choose` picks; undefined when `signal` aborts first. Every one lent must be given back. */
  async take(choose: (free: readonly Slot[]) => Slot, signal: AbortSignal): Promise<Slot | undefined> {
    const me = {};
    this.#waiting.push(me);
    const onAbort = () => this.#wakeAll();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      while (!signal.aborted) {
        // One whose reply was aborted is free in a moment, and most likely the one that knows this conversation.
        const free = this.#slots.filter(({ user }) => user === undefined || user.aborted);
        if (this.#waiting[0] === me && free.length > 0) {
          const slot = choose(free);
          if (slot.user === undefined) {
            slot.user = signal;
            slot.lastUsed = ++this.#uses;
            return slot;
          }
        }
        await new Promise<void>((resolve) => this.#wake.push(resolve));
      }
      return undefined;
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#waiting.splice(this.#waiting.indexOf(me), 1);
      this.#wakeAll();
    }
  }

  giveBack(slot: Slot): void {
    slot.user = undefined;
    this.#wakeAll();
  }

  /** Waits until every reply that was aborted has really ended. */
  async settled(): Promise<void> {
    while (this.#slots.some(({ user }) => user?.aborted)) {
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  get all(): readonly Slot[] {
    return this.#slots;
  }

  #wakeAll(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const resolve of wake) resolve();
  }
}
