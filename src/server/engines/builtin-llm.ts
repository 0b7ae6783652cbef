import { think } from './builtin/brain.ts';
import { understand } from './builtin/understand.ts';
import type { ChatModel } from './contracts.ts';

export type BuiltinLlmSettings = {
  /** Where the time comes from; the clock of the machine when left out. */
  readonly now?: () => Date;
};

/**
 * The built-in brain: no language model, but rules in the manner of ELIZA, with answers about time, sums and itself. What it
 * says depends on the request and the time alone.
 */
export async function create({ now = () => new Date() }: BuiltinLlmSettings = {}): Promise<ChatModel> {
  // The first match builds the matcher, which would make the first reply late.
  understand('hello');
  return {
    async *reply(request, signal) {
      if (signal.aborted) return;
      for (const token of tokens(think(request, now()))) {
        yield token;
        if (signal.aborted) return;
      }
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** Cuts text into pieces as a language model would give them: words with the space before, long ones in two. */
function tokens(text: string): string[] {
  return text.match(/\s*\S{1,7}/g) ?? [];
}
