import type { LlamaContextSequence, Token } from 'node-llama-cpp';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { PromptSteps } from '../../src/server/engines/llama/prompt-steps.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance', 'setTimeout'] }));
afterEach(() => void vi.useRealTimers());

const tokens = Array.from({ length: 2_000 }, (_, i) => i as Token);

/** Evaluates together whatever is asked for together, as llama.cpp does, in so many milliseconds. */
function context(msOf: (longest: number) => number) {
  const pieces: number[] = [];
  let batch: { longest: number; done: Promise<void> } | undefined;
  const sequence = () => {
    let nextTokenIndex = 0;
    return {
      get nextTokenIndex() {
        return nextTokenIndex;
      },
      needsCheckpoints: false,
      async adaptStateToTokens() {},
      async evaluateWithoutGeneratingNewTokens(piece: Token[]) {
        pieces.push(piece.length);
        const mine = batch ?? { longest: 0, done: Promise.resolve() };
        mine.longest = Math.max(mine.longest, piece.length);
        if (!batch) {
          batch = mine;
          mine.done = Promise.resolve().then(() => {
            batch = undefined;
            return new Promise((resolve) => setTimeout(resolve, msOf(mine.longest)));
          });
        }
        await mine.done;
        nextTokenIndex += piece.length;
      },
    } as unknown as LlamaContextSequence;
  };
  return { pieces, sequence };
}

it('halves the pieces of prompts that are read together once when they take too long, not once for each prompt', async () => {
  const steps = new PromptSteps(512);
  // Nothing is won by pieces below 60 tokens.
  const { pieces, sequence } = context((longest) => Math.max(18, longest * 0.3));
  const signal = new AbortController().signal;
  const read = Promise.all([1, 2, 3, 4].map(() => steps.evaluate(sequence(), tokens, signal)));
  await vi.runAllTimersAsync();
  await read;
  // The first ones feel their way.
  expect(Math.min(...pieces.slice(8))).toBeGreaterThan(50);
});
