import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChatModel } from '../server/engines/contracts.ts';
import type { ReplyUsage } from '../server/engines/llama/replies.ts';
import type { LlamaSettings } from '../server/engines/llama-llm.ts';
import { EngineProcess } from '../server/workers/engine-process.ts';
import { remoteLlm } from '../server/workers/remote-engines.ts';
import { type TinyLlama, writeTinyLlama } from './tiny-models/tiny-llama.ts';

/** A chat model of random weights in an engine process, as the server runs real ones. */
export type TinyChatModel = AsyncDisposable & {
  readonly llm: ChatModel;
  /** What the newest replies cost; answers once every aborted reply has really ended. */
  usage(): Promise<ReplyUsage[]>;
};

/** Starts it; only the settings that matter need be given. */
export async function startTinyChatModel(made: TinyLlama, settings: Partial<LlamaSettings>): Promise<TinyChatModel> {
  const signal = new AbortController().signal;
  const folder = await mkdtemp(join(tmpdir(), 'voice-chat-bench-'));
  const file = join(folder, 'tiny.gguf');
  writeTinyLlama(file, made);
  const all: LlamaSettings = {
    file,
    device: 'cpu',
    gpuLayers: 0,
    contextTokens: 4_096,
    conversations: 2,
    threads: 1,
    temperature: 0.7,
    maxTokens: 200,
    thinking: false,
    ...settings,
  };
  const process = await EngineProcess.start({
    stage: 'llm',
    name: 'llama',
    module: new URL('../server/engines/llama-llm.js', import.meta.url),
    factory: 'create',
    settings: all,
    startMs: 60_000,
    stallMs: 10_000,
    canary: async () => {},
  });
  return {
    llm: remoteLlm(process),
    async usage() {
      const usages: ReplyUsage[] = [];
      for await (const usage of process.call('usage', [], undefined, signal)) usages.push(usage as ReplyUsage);
      return usages;
    },
    async [Symbol.asyncDispose]() {
      await process[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
