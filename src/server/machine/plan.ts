import { MODELS } from '../models/manifest.ts';
import type { ModelEntry } from '../models/model-entry.ts';
import { type Expected, expected } from './expected.ts';
import { type Budget, budgetOf, type Choice, type Fit, fitting, memoryOf } from './fit.ts';
import type { Gpu, Probe } from './machine.ts';
import { cardUse } from './native-builds.ts';
import { notes } from './notes.ts';
import { type Option, type Options, optionsOf } from './options.ts';
import { PLAN_STAGES, type PlanRequest, type PlanStage } from './plan-request.ts';
import { reason } from './reason.ts';

/** What fills one stage. */
export type StagePlan = {
  /** Undefined: the embedded engine, which needs none. */
  readonly model?: ModelEntry;
  readonly engine: 'sherpa' | 'whisper' | 'llama' | 'kokoro' | 'pocketsphinx' | 'builtin' | 'flite';
  readonly device: 'cpu' | 'cuda' | 'vulkan' | 'metal';
  /** Of a language model: layers on the card; all of the model's, or fewer. */
  readonly gpuLayers?: number;
  readonly contextTokens?: number;
  /** Contexts kept at once, one for each conversation. */
  readonly conversations?: number;
  readonly threads: number;
  /** On the card and beside it, together. */
  readonly memoryBytes: number;
  /** Grows with what the stage gives: more memory never makes it smaller. */
  readonly level: number;
  /** One sentence. */
  readonly why: string;
};

/** Which models run where on one machine; a stage that was not asked for is left out. */
export type Plan = {
  readonly asr?: StagePlan;
  readonly llm?: StagePlan;
  readonly tts?: StagePlan;
  /** Models for this language that would be better, and why they are not taken; best first within a stage. */
  readonly rejected: readonly { readonly stage: PlanStage; readonly id: string; readonly why: string }[];
  readonly downloadBytes: number;
  readonly diskBytes: number;
  readonly ramBytes: number;
  readonly vramBytes: number;
  readonly expected: Expected;
  readonly notes: readonly string[];
};

/**
 * The best that fits this machine: all stages climb one ladder of levels together, and the highest rung that fits is taken, so
 * that more memory never makes any stage worse as long as models can be fetched. Pure: the same probe and request give the same plan.
 */
export function plan(probe: Probe, request: PlanRequest, models: readonly ModelEntry[] = MODELS): Plan {
  const card = cardOf(probe);
  const budget = budgetOf(probe, request, card);
  const stages = request.stages ?? PLAN_STAGES;
  const qualityOf = (id: string): number => models.find((model) => model.id === id)?.quality ?? 0;
  const only = (stage: PlanStage): Options => {
    const all = optionsOf(stage, models, request, probe, card);
    return stages.includes(stage) ? all : { options: all.options.slice(0, 1), rejected: [] };
  };
  const ladders = { asr: only('asr'), llm: only('llm'), tts: only('tts') };
  const choice = climb(ladders, request.hub, (tried) => typeof fitting(tried, probe, request, budget) !== 'string');
  const fits = fitting(choice, probe, request, budget);
  const done: Fit = typeof fits === 'string' ? { ramBytes: 0, vramBytes: 0, diskBytes: 0, downloadBytes: 0 } : fits;

  const rejected = stages.flatMap((stage) =>
    [
      ...ladders[stage].options
        .filter(({ model, level }) => model && model.id !== choice[stage].model?.id && level > choice[stage].level)
        .reverse()
        .map((option) => ({ id: option.model!.id, why: whyNot(stage, option, choice, probe, request, budget) })),
      ...ladders[stage].rejected.filter(({ id }) => qualityOf(id) > (choice[stage].model?.quality ?? 0)),
    ]
      .sort((a, b) => qualityOf(b.id) - qualityOf(a.id))
      .map(({ id, why }) => ({ stage, id, why })),
  );
  const planned = (stage: PlanStage): StagePlan =>
    stagePlan(
      stage,
      choice[stage],
      done,
      probe,
      card,
      rejected.find((one) => one.stage === stage),
    );
  return {
    ...Object.fromEntries(stages.map((stage) => [stage, planned(stage)])),
    rejected,
    ...{ downloadBytes: done.downloadBytes, diskBytes: done.diskBytes },
    ...{ ramBytes: done.ramBytes, vramBytes: done.vramBytes },
    expected: expected(choice, done, probe),
    notes: notes(probe, request, choice, card),
  };
}

/** The card with the most free memory, if any can be used. */
export function cardOf(probe: Probe): Gpu | undefined {
  const usable = probe.gpus.filter((gpu) => 'device' in cardUse('llama', gpu, probe));
  return [...(usable.length > 0 ? usable : probe.gpus)].sort((a, b) => b.freeBytes - a.freeBytes)[0];
}

/**
 * The highest rung that fits. Where only models on disk count, one that is too large may bar the way to all above it: there a
 * stage that was left without a model takes what fits beside the others.
 */
function climb(ladders: Readonly<Record<PlanStage, Options>>, hub: boolean, fits: (choice: Choice) => boolean): Choice {
  const levels = PLAN_STAGES.flatMap((stage) => ladders[stage].options.map(({ level }) => level)).sort((a, b) => b - a);
  const at = (stage: PlanStage, level: number): Option =>
    ladders[stage].options.filter((option) => option.level <= level).at(-1)!;
  const rung = (level: number): Choice => ({ asr: at('asr', level), llm: at('llm', level), tts: at('tts', level) });
  let choice = rung(levels.find((level) => fits(rung(level))) ?? 0);
  for (const stage of PLAN_STAGES) {
    if (hub || choice[stage].model) continue;
    const better = ladders[stage].options.filter((option) => fits({ ...choice, [stage]: option })).at(-1);
    if (better) choice = { ...choice, [stage]: better };
  }
  return choice;
}

function whyNot(
  stage: PlanStage,
  option: Option,
  choice: Choice,
  probe: Probe,
  request: PlanRequest,
  budget: Budget,
): string {
  const beside = fitting({ ...choice, [stage]: option }, probe, request, budget);
  const alone: Choice = { ...choice, [stage]: option, llm: { engine: 'builtin', device: 'cpu', level: 0 } };
  if (stage !== 'llm' && choice.llm.model && typeof fitting(alone, probe, request, budget) !== 'string') {
    return 'it would leave too little for the language model';
  }
  return typeof beside === 'string' ? beside : 'the memory is kept for the step that counts more and comes first';
}

function stagePlan(
  stage: PlanStage,
  option: Option,
  { llm }: Fit,
  probe: Probe,
  card: Gpu | undefined,
  obstacle: { readonly id: string; readonly why: string } | undefined,
): StagePlan {
  const { model, engine, level } = option;
  const cores = probe.cpu.cores;
  const place = stage === 'llm' && model ? llm : undefined;
  const device = place?.device ?? (option.device === 'any' ? 'cpu' : option.device);
  const memory = place ?? memoryOf(option);
  const alone = device === 'cpu' ? (stage === 'llm' ? Math.min(8, cores) : Math.min(4, Math.ceil(cores / 2))) : 1;
  const threads = place && model?.stage === 'llm' && place.gpuLayers < model.layers ? Math.min(8, cores) : alone;
  const memoryBytes = device === 'metal' ? memory.ramBytes : memory.vramBytes + memory.ramBytes;
  const llmPart = place && {
    gpuLayers: place.gpuLayers,
    contextTokens: place.contextTokens,
    conversations: place.conversations,
  };
  const why = reason(option, device, place, card, obstacle);
  return { ...(model && { model }), engine, device, ...llmPart, threads, memoryBytes, level, why };
}
