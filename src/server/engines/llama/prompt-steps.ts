import type { LlamaContextSequence, Token } from 'node-llama-cpp';

/** How long a piece of a prompt may take: an abort waits for it, and so does every other reply. */
const STEP_MS = 20;
const FIRST_STEP = 32;
const SMALLEST_STEP = 16;

/** Evaluates prompts in pieces, so small that they can be broken off, and as large as that allows. */
export class PromptSteps {
  readonly #largest: number;
  #step = FIRST_STEP;

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
      const started = performance.now();
      await sequence.evaluateWithoutGeneratingNewTokens(rest.slice(0, this.#step));
      this.#adapt(performance.now() - started);
    }
  }

  /** Models that cannot go back to any token go back to here when the reply is cut. */
  async #beforeReply(sequence: LlamaContextSequence, rest: readonly Token[]): Promise<readonly Token[]> {
    if (!sequence.needsCheckpoints || rest.length === 1) return rest;
    await sequence.evaluateWithoutGeneratingNewTokens(rest.slice(0, -1));
    await sequence.takeCheckpoint();
    return rest.slice(-1);
  }

  #adapt(ms: number): void {
    const fitting = (this.#step * STEP_MS) / Math.max(1, ms);
    const step = Math.min(Math.max(fitting, this.#step / 2), this.#step * 2);
    this.#step = Math.round(Math.min(this.#largest, Math.max(SMALLEST_STEP, step)));
  }
}
