import type { Config } from './config.ts';
import type { Probe } from './machine/machine.ts';
import { installedPackages } from './machine/packages.ts';
import { cardOf, type Plan, plan } from './machine/plan.ts';
import { PLAN_STAGES, type PlanRequest, type PlanStage } from './machine/plan-request.ts';
import { probe } from './machine/probe.ts';
import { MODELS } from './models/manifest.ts';
import type { ModelEntry } from './models/model-entry.ts';
import type { ModelStore } from './models/store.ts';
import { reservedForVideo } from './reserved-for-video.ts';
import { suits, type Want, wantOf } from './wanted-models.ts';

/** What a plan is made from, besides the configuration; tests put their own here. */
export type PlanWorld = {
  readonly models?: readonly ModelEntry[];
  readonly machine?: Probe;
  readonly packages?: PlanRequest['packages'];
};

/** The plan for this machine, and what each stage wants of it. */
export type PlanHere = {
  readonly wants: Readonly<Record<PlanStage, Want>>;
  /** The stages that leave their model to the plan. */
  readonly planned: readonly PlanStage[];
  /** The plan, if models could be downloaded, or not; without those of `except`, which the hub has not. */
  readonly plan: (hub: boolean, except?: readonly ModelEntry[]) => Promise<Plan>;
};

/** The hub may lack so many models of a stage; then something else is wrong, and what comes next is ever heavier. */
const TRIES_PER_STAGE = 2;

/** Looks at the disk and makes ready to plan, for which it looks at the machine, once; asks no network. */
export async function planHere(
  config: Config,
  store: ModelStore,
  signal: AbortSignal,
  world: PlanWorld = {},
): Promise<PlanHere> {
  const { models = MODELS } = world;
  const want = (stage: PlanStage) => wantOf(config, stage, models);
  const wants = { asr: want('asr'), llm: want('llm'), tts: want('tts') };
  const planned = PLAN_STAGES.filter((stage) => wants[stage].is === 'planned');
  const found = await Promise.all(models.map((entry) => store.find(entry)));
  const onDisk = new Set(models.filter((_, i) => found[i]).map(({ id }) => id));
  const suitable = models.filter((model) => suits(config, model));
  let { machine, packages } = world;
  const planFor: PlanHere['plan'] = async (hub, except = []) => {
    const here = (machine ??= await probe({ modelsFolder: config.models.folder }, signal));
    packages ??= await installedPackages();
    const reserved = await reservedForVideo(config, here.gpus, signal);
    // What another card paints takes nothing of the one that the conversation's models lie on.
    const reserveVramBytes = reserved?.card === cardOf(here) ? (reserved?.bytes ?? 0) : 0;
    return plan(
      here,
      { language: config.language, onDisk, packages, stages: planned, hub, reserveVramBytes },
      suitable.filter((model) => {
        const tries = except.filter(({ stage }) => stage === model.stage).length;
        return !except.includes(model) && (onDisk.has(model.id) || tries < TRIES_PER_STAGE);
      }),
    );
  };
  return { wants, planned, plan: planFor };
}

/** The model of the manifest that a stage takes here, named or planned. */
export function modelOf({ wants }: PlanHere, made: Plan | undefined, stage: PlanStage): ModelEntry | undefined {
  const want = wants[stage];
  return want.is === 'entry' ? want.entry : want.is === 'planned' ? made?.[stage]?.model : undefined;
}

/** The models of all stages, in their order. */
export const modelsOf = (here: PlanHere, made: Plan | undefined): ModelEntry[] =>
  PLAN_STAGES.flatMap((stage) => modelOf(here, made, stage) ?? []);
