/** A bucket that holds `capacity` and refills at `perSecond`: lets bursts through, and no more than that on average. */
export class RateLimit {
  readonly #capacity: number;
  readonly #perSecond: number;
  readonly #clock: () => number;
  #level: number;
  #at: number;

  constructor(capacity: number, perSecond: number, clock: () => number = () => performance.now()) {
    this.#capacity = capacity;
    this.#perSecond = perSecond;
    this.#clock = clock;
    this.#level = capacity;
    this.#at = clock();
  }

  /** Whether there is that much in it. */
  has(amount: number): boolean {
    const now = this.#clock();
    this.#level = Math.min(this.#capacity, this.#level + ((now - this.#at) / 1000) * this.#perSecond);
    this.#at = now;
    return amount <= this.#level;
  }

  /** Takes `amount` out; false if there is not that much. */
  take(amount: number): boolean {
    if (!this.has(amount)) return false;
    this.#level -= amount;
    return true;
  }

  /** Puts `amount` back. */
  give(amount: number): void {
    this.#level = Math.min(this.#capacity, this.#level + amount);
  }
}
