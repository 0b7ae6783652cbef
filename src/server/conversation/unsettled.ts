import type { Turn } from './turn.ts';

/** A reply that was cut, until the client has said how much of it was heard, or until that is waited for no longer. */
export class Unsettled {
  readonly #onSettled: (turn: Turn) => void;
  #turn: Turn | undefined;
  #wake: () => void = () => {};

  /** `onSettled` is told of each turn once what was heard of it is fixed. */
  constructor(onSettled: (turn: Turn) => void) {
    this.#onSettled = onSettled;
  }

  /** The turn that waits. */
  get turn(): Turn | undefined {
    return this.#turn;
  }

  /** Holds a turn that was cut; of one before it, what was heard is fixed now, and of one without a sound as well. */
  hold(turn: Turn): void {
    this.settle();
    this.#turn = turn;
    if (!turn.audible) this.settle();
  }

  /** Fixes what was heard, with what is known by now. */
  settle(): void {
    const turn = this.#turn;
    if (!turn) return;
    this.#turn = undefined;
    this.#wake();
    this.#onSettled(turn);
  }

  /** Resolves when nothing waits any more, or when `patience` does. */
  async settled(patience: Promise<void>): Promise<void> {
    const settled = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    await Promise.race([settled, patience]);
  }
}
