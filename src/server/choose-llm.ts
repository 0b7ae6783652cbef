import { type Choice, here, NAMED, scripted } from './choice.ts';
import { type Config, usualSettings } from './config.ts';
import type { ChatModel } from './engines/contracts.ts';
import { instructions } from './instructions.ts';
import type { Logger } from './log.ts';
import type { Supplied, Supply } from './model-supply.ts';
import { describeTools } from './tools/tool-box.ts';

/** What the configuration says of a model that runs here. */
type Own = Extract<Config['llm'], { engine: 'llama' }>;

/** Large models come from slow disks, and read long conversations on slow processors. */
const START_MS = 900_000;
const STALL_MS = 120_000;
const CONTEXT_TOKENS = 4_096;

/** Picks the chat model. */
export function chooseLlm(config: Config, supply: Supply, log: Logger): Choice<ChatModel> {
  const { llm } = config;
  switch (llm.engine) {
    case 'auto': {
      const supplied = supply.llm;
      if (!supplied) return builtin(supply.without.llm ?? 'no language model is configured');
      const fallback = async () => builtin(`the model ${supplied.id} could not be loaded`);
      return { ...llama(supplied, usualSettings('llm', 'llama'), config), fallback };
    }
    case 'llama':
      return llama(supply.llm!, llm, config);
    case 'builtin':
      return builtin(NAMED);
    case 'openai':
      return {
        what: `openai (${llm.model || 'first model'} at ${new URL(llm.baseUrl).host})`,
        why: NAMED,
        module: 'openai-llm',
        settings: llm,
        isServer: true,
        inProcess: async () => (await import('./engines/openai-llm.ts')).create(llm, (sentence) => log.warn(sentence)),
      };
    case 'scripted':
      return {
        ...scripted(llm, 'createLlm'),
        ...here(llm, async () => (await import('./engines/scripted.ts')).createLlm(llm)),
      };
  }
}

function llama({ title, files, why, plan }: Supplied, own: Own, config: Config): Choice<ChatModel> {
  return {
    what: `llama.cpp (${title})`,
    why,
    module: 'llama-llm',
    settings: {
      file: files.model,
      device: own.device === 'auto' ? (plan?.device ?? 'auto') : own.device,
      gpuLayers: own.gpuLayers >= 0 ? own.gpuLayers : (plan?.gpuLayers ?? -1),
      contextTokens: own.contextTokens || plan?.contextTokens || CONTEXT_TOKENS,
      conversations: contexts(own, plan),
      threads: own.threads || plan?.threads || 0,
      temperature: own.temperature,
      maxTokens: own.maxTokens,
      thinking: own.thinking,
      systemPrompt: instructions(config),
      tools: describeTools(config.llm.tools),
    },
    keepsPrompt: true,
    startMs: START_MS,
    stallMs: STALL_MS,
  };
}

/**
 * One more context than the user asked for: trying the model out must not cost a conversation what was read of it. The plan's
 * are what there is memory for, and are all.
 */
const contexts = (own: Own, plan: Supplied['plan']): number =>
  own.conversations ? own.conversations + 1 : (plan?.conversations ?? 2);

const builtin = (why: string): Choice<ChatModel> => ({
  what: 'builtin (a stand-in, no language model)',
  why,
  module: 'builtin-llm',
  settings: {},
  inProcess: async () => (await import('./engines/builtin-llm.ts')).create(),
});
