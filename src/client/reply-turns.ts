/** Which replies' clips may still be shown: turn ids only grow, so what is older than the newest is past. */
export class ReplyTurns {
  #newest = 0;
  /** Turns up to this one were cut, or were heard to their end. */
  #past = 0;

  /** Something of this turn's reply has come. */
  saw(turn: number): void {
    this.#newest = Math.max(this.#newest, turn);
  }

  /** The reply was cut or is over; the newest one if `turn` is left out. */
  end(turn = this.#newest): void {
    this.#past = Math.max(this.#past, turn);
  }

  /** Whether a clip of this turn would still be shown to its sound. */
  live(turn: number): boolean {
    return turn > this.#past && turn >= this.#newest;
  }

  /** Another session counts its turns anew. */
  reset(): void {
    this.#newest = this.#past = 0;
  }
}
