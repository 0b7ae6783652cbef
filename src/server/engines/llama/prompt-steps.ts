import type { LlamaContextSequence, Token } from 'node-llama-cpp';

/** How long a piece of a prompt may take, where several are computed together its share: aborts and other replies wait for it. */
const STEP_MS = 20;
const FIRST_STEP = 32;
const SMALLEST_STEP = 16;

/** Evaluates prompts in pieces, so small that they can be broken off, and as large as that allows. */
export class PromptSteps {
  readonly #largest: number;
  #step = FIRST_STEP;
  #together: { pieces: number } | undefined;

  /** `largest` is the context's batch size, in tokens. */
  constructor(largest: number) {
    this.#largest = largest;
  }

  /**
   * Brings the sequence to where only the returned last tokens of the prompt are left to evaluate, one at least; what it has
   * evaluated of it before is kept. When `signal` aborts it stops after the piece in hand.
   */
  async evaluate(
    sequence: LlamaContextSequence,
    tokens: readonly Token[],
    signal: AbortSignal,
  ): Promise<readonly Token[]> {
    // The last token must be evaluated in any case: the reply's first is read off it.
    await sequence.adaptStateToTokens(tokens.slice(0, -1), false);
    for (;;) {
      const rest = tokens.slice(sequence.nextTokenIndex);
      if (signal.aborted) return rest;
      if (rest.length <= this.#step) return this.#beforeReply(sequence, rest);
      await this.#evaluate(sequence, rest.slice(0, this.#step));
    }
  }

  async #evaluate(sequence: LlamaContextSequence, piece: Token[]): Promise<void> {
    this.#together ??= { pieces: 0 };
    const together = this.#together;
    together.pieces++;
    const started = performance.now();
    try {
      await sequence.evaluateWithoutGeneratingNewTokens(piece);
    } finally {
      if (this.#together === together) this.#together = undefined;
    }
    this.#adapt(piece.length, (performance.now() - started) / together.pieces);
  }

  /** Models that cannot go back to any token go back to here when the reply is cut. */
  async #beforeReply(sequence: LlamaContextSequence, rest: readonly Token[]): Promise<readonly Token[]> {
    if (!sequence.needsCheckpoints || rest.length === 1) return rest;
    await sequence.evaluateWithoutGeneratingNewTokens(rest.slice(0, -1));
    await sequence.takeCheckpoint();
    return rest.slice(-1);
  }

  /** By what the piece was: pieces that end together would else count one after the other. */
  #adapt(size: number, ms: number): void {
    const fitting = (size * STEP_MS) / Math.max(1, ms);
    const step = Math.min(Math.max(fitting, size / 2), size * 2);
    this.#step = Math.round(Math.min(this.#largest, Math.max(SMALLEST_STEP, step)));
  }
}
