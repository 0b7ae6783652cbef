import type { AsrModel, LlmModel, ModelEntry, SpeechModel, TtsModel } from '../models/model-entry.ts';
import type { Gpu, Probe } from './machine.ts';
import { type CardUse, cardUse } from './native-builds.ts';
import type { PlanRequest, PlanStage } from './plan-request.ts';
import {
  cardBytesPerSecond,
  coresFor,
  cpuBytesPerSecond,
  MIN_TOKENS_PER_SECOND,
  readsPromptInTime,
  tokensPerSecond,
} from './speed.ts';

/** One way to fill a stage; without a model it is the embedded engine. */
export type Option = {
  readonly model?: ModelEntry;
  readonly engine: 'sherpa' | 'whisper' | 'llama' | 'kokoro' | 'pocketsphinx' | 'builtin' | 'flite';
  /** `any` leaves it to the fitting: a language model may lie on the card, partly on it, or not at all. */
  readonly device: 'cpu' | 'cuda' | 'vulkan' | 'any';
  /** How far up it stands; the levels of all stages are climbed together, the lowest first. */
  readonly level: number;
};

export type Options = {
  /** By level, the embedded engine first. */
  readonly options: readonly Option[];
  readonly rejected: readonly { readonly id: string; readonly why: string }[];
};

export const EMBEDDED = { asr: 'pocketsphinx', llm: 'builtin', tts: 'flite' } as const;

/** Everything that could fill a stage here, were there memory enough, and what cannot, with the reason. */
export function optionsOf(
  stage: PlanStage,
  models: readonly ModelEntry[],
  request: PlanRequest,
  probe: Probe,
  card: Gpu | undefined,
): Options {
  const options: Option[] = [{ engine: EMBEDDED[stage], device: 'cpu', level: 0 }];
  const rejected: { id: string; why: string }[] = [];
  const fitting = models
    .filter((model) => model.stage !== 'video')
    .filter((model) => model.stage === stage && model.languages.includes(request.language));
  // The lightest of a language is better than none, however few the cores are.
  const lightest = Math.min(...fitting.map((model) => (model.stage === 'llm' ? 0 : coresFor(model))));
  for (const model of fitting) {
    const ways =
      request.hub || request.onDisk.has(model.id) ? waysOf(model, request, probe, card, lightest) : [OUT_OF_REACH];
    const possible = ways.filter((way) => typeof way !== 'string');
    options.push(...possible);
    const why = ways.find((way) => typeof way === 'string');
    if (possible.length === 0 && why !== undefined) rejected.push({ id: model.id, why });
  }
  return { options: options.sort((a, b) => a.level - b.level), rejected };
}

const OUT_OF_REACH = 'it is not on disk, and cannot be downloaded now';
const NO_AVX2 = 'this processor has no AVX2, which neural engines on the processor want';

/** The ways to run a model: each an option, or the reason against it. */
function waysOf(
  model: SpeechModel,
  { packages }: PlanRequest,
  probe: Probe,
  card: Gpu | undefined,
  lightest: number,
): (Option | string)[] {
  switch (model.stage) {
    case 'llm':
      if (!packages.llama) return ['node-llama-cpp is not installed (npm install node-llama-cpp)'];
      if (!quickEnough(model, probe, card)) return [tooSlow(model, probe)];
      // 14 steps for twice the parameters: 0.6 → 20, 1.7 → 41, 4 → 58, 8 → 72, 14 → 84.
      return [{ model, engine: 'llama', device: 'any', level: 20 + 14 * Math.log2(model.parameters / 0.6) }];
    case 'asr': {
      if (model.engine === 'sherpa') return [sherpa(model, packages.sherpa, lightest, probe)];
      if (!packages.whisper) return ['@fugood/whisper.node is not installed (npm install @fugood/whisper.node)'];
      return [onCard(model, card && cardUse('whisper', card, probe))];
    }
    case 'tts': {
      const ways = [sherpa(model, packages.sherpa, lightest, probe)];
      // onnxruntime-node 1.30 fetches a library for CUDA 12 (its install-metadata.js), which needs cuDNN 9.
      const libraries = probe.cuda.runtimes.includes(12) && probe.cuda.cudnn === 9 && packages.ort && packages.ortCuda;
      const use = card && libraries ? cardUse('llama', card, probe) : undefined;
      const cuda = use && 'device' in use && use.device === 'cuda';
      if (model.family === 'kokoro' && cuda) ways.push({ model, engine: 'kokoro', device: 'cuda', level: 74 });
      return ways;
    }
  }
}

function sherpa(
  model: AsrModel | TtsModel,
  installed: boolean,
  lightest: number,
  { cpu, arch }: Probe,
): Option | string {
  const cores = coresFor(model);
  if (!installed) return 'sherpa-onnx-node is not installed (npm install sherpa-onnx-node)';
  if (arch === 'x64' && !cpu.avx2) return NO_AVX2;
  if (cpu.cores < cores && cores > lightest) return `it wants ${cores} processor cores, and there are ${cpu.cores}`;
  // What is small comes before any language model, Kokoro and Parakeet (quality 85 and more) between one of 1.7 and one of 4.
  const small = model.quality < 70 || cores <= lightest;
  const level = small ? Math.min(19, model.quality * 0.28) : 20 + model.quality * 0.28;
  return { model, engine: 'sherpa', device: 'cpu', level };
}

function onCard(model: ModelEntry, use: CardUse | undefined): Option | string {
  if (use === undefined) return 'it wants a graphics card';
  if ('why' in use) return `it cannot use the graphics card: ${use.why}`;
  if (use.device === 'metal') return 'on a Mac recognition runs on the processor';
  return { model, engine: 'whisper', device: use.device, level: 60 + model.quality / 100 };
}

/** Whether it is quick enough where it runs best, on the card as a whole or on the processor. */
function quickEnough(model: LlmModel, probe: Probe, card: Gpu | undefined): boolean {
  const cpuSpeed = cpuBytesPerSecond(probe);
  const onCpu = tokensPerSecond(model, 0, 1, cpuSpeed);
  if (onCpu >= MIN_TOKENS_PER_SECOND && readsPromptInTime(model, 0, cpuSpeed)) return true;
  if (!card || !('device' in cardUse('llama', card, probe))) return false;
  return tokensPerSecond(model, 1, cardBytesPerSecond(card), cpuSpeed) >= MIN_TOKENS_PER_SECOND;
}

const tooSlow = (model: LlmModel, probe: Probe): string => {
  const rate = tokensPerSecond(model, 0, 1, cpuBytesPerSecond(probe)).toFixed(0);
  return `about ${rate} tokens a second on the processor are too few, and no card is here that does better`;
};
