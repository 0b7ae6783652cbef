import type { Language, ModelEntry } from '../models/model-entry.ts';
import type { Gpu, Probe } from './machine.ts';
import { type CardUse, cardUse } from './native-builds.ts';
import type { PlanRequest, PlanStage } from './plan-request.ts';
import { ASR_CORES, TTS_CORES } from './speed.ts';

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
  for (const model of models) {
    if (model.stage !== stage || !model.languages.includes(request.language)) continue;
    const ways = request.hub || request.onDisk.has(model.id) ? waysOf(model, request, probe, card) : [OUT_OF_REACH];
    const possible = ways.filter((way) => typeof way !== 'string');
    options.push(...possible);
    const why = ways.find((way) => typeof way === 'string');
    if (possible.length === 0 && why !== undefined) rejected.push({ id: model.id, why });
  }
  return { options: options.sort((a, b) => a.level - b.level), rejected };
}

const OUT_OF_REACH = 'it is not on disk, and the model hub is out of reach';
const NO_AVX2 = 'this processor has no AVX2, which neural engines on the processor want';

/** The ways to run a model: each an option, or the reason against it. */
function waysOf(
  model: ModelEntry,
  { packages, language }: PlanRequest,
  probe: Probe,
  card: Gpu | undefined,
): (Option | string)[] {
  switch (model.stage) {
    case 'llm':
      if (!packages.llama) return ['node-llama-cpp is not installed (npm install node-llama-cpp)'];
      // 14 steps for twice the parameters: 0.6 → 20, 1.7 → 41, 4 → 58, 8 → 72, 14 → 84.
      return [{ model, engine: 'llama', device: 'any', level: 20 + 14 * Math.log2(model.parameters / 0.6) }];
    case 'asr': {
      if (model.engine === 'sherpa') return [sherpa(model, packages.sherpa, ASR_CORES[model.family], probe, 12)];
      if (!packages.whisper) return ['@fugood/whisper.node is not installed (npm install @fugood/whisper.node)'];
      return [onCard(model, card && cardUse('whisper', card, probe), language)];
    }
    case 'tts': {
      const ways = [sherpa(model, packages.sherpa, TTS_CORES[model.family], probe, 10)];
      const cuda = card?.maker === 'nvidia' && packages.ort && packages.ortCuda;
      if (model.family === 'kokoro' && cuda) ways.push({ model, engine: 'kokoro', device: 'cuda', level: 74 });
      return ways;
    }
  }
}

function sherpa(
  model: ModelEntry,
  installed: boolean,
  cores: number,
  { cpu, arch }: Probe,
  lowest: number,
): Option | string {
  if (!installed) return 'sherpa-onnx-node is not installed (npm install sherpa-onnx-node)';
  if (arch === 'x64' && !cpu.avx2) return NO_AVX2;
  if (cpu.cores < cores) return `it wants ${cores} processor cores, and there are ${cpu.cores}`;
  // Quality 0 to 100 takes the levels up to 40, below the language models that want a card.
  return { model, engine: 'sherpa', device: 'cpu', level: lowest + model.quality * 0.28 };
}

function onCard(model: ModelEntry, use: CardUse | undefined, language: Language): Option | string {
  if (use === undefined) return 'it wants a graphics card';
  if ('why' in use) return `it cannot use the graphics card: ${use.why}`;
  if (use.device === 'metal') return `the recognisers for ${language} on the processor do as well here`;
  return { model, engine: 'whisper', device: use.device, level: 60 + model.quality / 100 };
}
