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

  /** Takes `amount` out; false if there is not that much. */
  take(amount: number): boolean {
    const now = this.#clock();
    this.#level = Math.min(this.#capacity, this.#level + ((now - this.#at) / 1000) * this.#perSecond);
    this.#at = now;
    if (amount > this.#level) return false;
    this.#level -= amount;
    return true;
  }
}
