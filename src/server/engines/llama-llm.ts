import { randomUUID } from 'node:crypto';
import { abortable } from '../async/abortable.ts';
import { type ChatModel, EngineError } from './contracts.ts';
import { type ModelSettings, openModel } from './llama/open-model.ts';
import { Replies, type ReplySettings, type ReplyUsage } from './llama/replies.ts';
import { callsIn } from './llama/reply-reader.ts';

export type LlamaSettings = ModelSettings & ReplySettings;

/** A chat model that also says what its replies cost. */
export type LlamaModel = ChatModel & {
  readonly runsOn: string;
  /** The newest replies' costs, oldest first; 100 at most. */
  usage(signal: AbortSignal): AsyncIterable<ReplyUsage>;
};

/** Loads a GGUF model with llama.cpp; throws an `EngineError` that names the fix when that does not work here. */
export async function create(settings: LlamaSettings): Promise<LlamaModel> {
  const { llama, model, context, runsOn } = await openModel(settings);
  const replies = await Replies.open(llama, model, context, settings).catch(async (error) => {
    await llama.dispose();
    throw error;
  });
  let closed: Promise<void> | undefined;
  return {
    runsOn,
    async *reply(request, signal) {
      if (signal.aborted) return;
      const written = replies.write(request, signal);
      let calls = '';
      try {
        // The library ends a step when it is computed; whoever leaves does not wait for that.
        for await (const part of abortable(written, signal)) {
          if (typeof part === 'string') yield part;
          else calls = part.calls;
        }
      } catch (error) {
        if (signal.aborted) return;
        throw asEngineError(error, settings);
      }
      for (const { name, args } of callsIn(calls)) {
        if (signal.aborted) return;
        yield { id: `call_${randomUUID().slice(0, 8)}`, name, args };
      }
    },
    async *usage() {
      yield* await replies.usages();
    },
    [Symbol.asyncDispose]() {
      closed ??= llama.dispose();
      return closed;
    },
  };
}

function asEngineError(error: unknown, { file }: LlamaSettings): EngineError {
  if (error instanceof EngineError) return error;
  const why = error instanceof Error ? error.message : String(error);
  const fix = /memory|allocat|KV slot/i.test(why)
    ? 'Lower llm.contextTokens or llm.conversations'
    : 'Try another llm.model, or npm install node-llama-cpp@latest';
  return new EngineError('llm', `The model ${file} failed within its reply (${why}). ${fix}.`, { cause: error });
}
