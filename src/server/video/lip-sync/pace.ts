/** Lets those who work ahead wait until others have come far enough. */
export class Pace {
  #count = 0;
  #open = true;
  #waiting: (() => void)[] = [];

  /** How often `step` was called. */
  get count(): number {
    return this.#count;
  }

  step(): void {
    this.#count++;
    this.#wake();
  }

  /** Nobody waits any longer. */
  close(): void {
    this.#open = false;
    this.#wake();
  }

  /** Resolves with true once `step` was called `count` times, or with false once it is closed. */
  async reaches(count: number): Promise<boolean> {
    while (this.#open && this.#count < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.#open;
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
