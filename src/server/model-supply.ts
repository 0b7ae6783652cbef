import type { Config } from './config.ts';
import { EngineError } from './engines/contracts.ts';
import type { Logger } from './log.ts';
import { installedPackages } from './machine/packages.ts';
import { type Plan, plan, type StagePlan } from './machine/plan.ts';
import { PLAN_STAGES, type PlanRequest, type PlanStage } from './machine/plan-request.ts';
import { probe } from './machine/probe.ts';
import { MODELS } from './models/manifest.ts';
import type { ModelEntry } from './models/model-entry.ts';
import { readOwnModel } from './models/own-model.ts';
import { ModelStore } from './models/store.ts';
import { megabytes, showDownload } from './show-download.ts';
import { suits, type Want, wantOf } from './wanted-models.ts';

/** A model that a stage gets, with its files on this disk. */
export type Supplied = {
  /** For messages: the manifest's id, or the path. */
  readonly id: string;
  readonly title: string;
  readonly family: string;
  readonly engine: ModelEntry['engine'] | undefined;
  readonly files: Readonly<Record<string, string>>;
  readonly why: string;
  /** How to run it here; where the user named the model, the engine finds that out itself. */
  readonly plan: StagePlan | undefined;
};

/** The models for the stages that take one; the others have embedded engines, or servers elsewhere. */
export type Supply = Readonly<Partial<Record<PlanStage, Supplied>>> & {
  /** Why a stage that could have had a model has none. */
  readonly without: Readonly<Partial<Record<PlanStage, string>>>;
};

const NAMED = 'named in the configuration';

/**
 * Finds the models of the configuration, or fetches them, having said how much that is; what was picked for the user and cannot
 * be had is left out. Throws an `EngineError` for what the user named.
 */
export async function supplyModels(config: Config, log: Logger, signal: AbortSignal): Promise<Supply> {
  const wants = { asr: wantOf(config, 'asr'), llm: wantOf(config, 'llm'), tts: wantOf(config, 'tts') };
  const planned = PLAN_STAGES.filter((stage) => wants[stage].is === 'planned');
  const store = new ModelStore({ ...config.models, log: (line) => log.info(line) });
  const own = await ownModels(wants);
  const fetched = async (made: Plan | undefined): Promise<Supply> => ({
    ...own,
    ...(await fromStore(config, store, wants, made, log, signal)),
    without: Object.fromEntries(
      planned.flatMap((stage) => (made?.[stage]?.model ? [] : [[stage, made?.[stage]?.why]])),
    ),
  });
  if (planned.length === 0) return fetched(undefined);

  const outOfReach = await store.reachable(signal);
  const onDisk = await idsOnDisk(store);
  const machine = await probe({ modelsFolder: config.models.folder, hub: outOfReach === undefined }, signal);
  const packages = await installedPackages();
  const models = MODELS.filter((model) => suits(config, model));
  const planFor = (hub: boolean): Plan => {
    const request: PlanRequest = { language: config.language, onDisk, hub, packages, stages: planned };
    const made = plan(machine, request, models);
    sayPlan(made, log);
    for (const stage of planned) refuseToGoWithout(config, stage, wants[stage], made);
    return made;
  };
  if (outOfReach !== undefined) log.info(`models  the hub is not asked: ${outOfReach}`);
  try {
    return await fetched(planFor(outOfReach === undefined));
  } catch (error) {
    // What was picked for the user must not keep the server from starting.
    if (signal.aborted || outOfReach !== undefined || error instanceof EngineError) throw error;
    log.warn(`models  ${(error as Error).message} Going on with what is here.`);
    return fetched(planFor(false));
  }
}

async function idsOnDisk(store: ModelStore): Promise<Set<string>> {
  const found = await Promise.all(MODELS.map((entry) => store.find(entry)));
  return new Set(MODELS.filter((_, i) => found[i]).map(({ id }) => id));
}

async function ownModels(wants: Record<PlanStage, Want>): Promise<Partial<Record<PlanStage, Supplied>>> {
  const supplied: Partial<Record<PlanStage, Supplied>> = {};
  for (const stage of PLAN_STAGES) {
    const want = wants[stage];
    if (want.is !== 'path') continue;
    const common = { id: want.path, why: NAMED, engine: undefined, plan: undefined };
    if (stage === 'llm' || want.path.endsWith('.bin')) {
      const family = stage === 'llm' ? 'gguf' : 'whisper-ggml';
      supplied[stage] = { ...common, title: fileName(want.path), family, files: { model: want.path } };
    } else {
      const { title, family, files } = await readOwnModel(want.path, stage).catch((cause: Error) => {
        throw new EngineError(stage, cause.message, { cause });
      });
      supplied[stage] = { ...common, title, family, files };
    }
  }
  return supplied;
}

async function fromStore(
  config: Config,
  store: ModelStore,
  wants: Record<PlanStage, Want>,
  made: Plan | undefined,
  log: Logger,
  signal: AbortSignal,
): Promise<Partial<Record<PlanStage, Supplied>>> {
  const taken = PLAN_STAGES.flatMap((stage) => {
    const want = wants[stage];
    const entry = want.is === 'entry' ? want.entry : want.is === 'planned' ? made?.[stage]?.model : undefined;
    return entry ? [{ stage, entry, plan: made?.[stage], named: want.is === 'entry' }] : [];
  });
  const entries = taken.map(({ entry }) => entry);
  const { bytes, files } = await store.missing(entries, signal);
  if (files > 0 && !config.models.offline) {
    log.info(
      `models  ${megabytes(bytes)} to download into ${config.models.folder}: ${entries.map(({ id }) => id).join(', ')}`,
    );
  }
  const shown = showDownload(process.stderr);
  const stored = await store
    .pull(entries, shown.show, signal)
    .catch((cause: Error) => {
      const named = taken.find((one) => one.named);
      if (!named || signal.aborted) throw cause;
      throw new EngineError(
        named.stage,
        `${cause.message} Or fetch it where the hub can be reached: voice-chat models pull ${named.entry.id}`,
        { cause },
      );
    })
    .finally(() => shown.end());
  return Object.fromEntries(
    taken.map(({ stage, entry, plan, named }, i) => {
      const { id, title, family, engine } = entry;
      const why = named || !plan ? NAMED : plan.why;
      return [stage, { id, title, family, engine, files: stored[i]!.files, why, plan: named ? undefined : plan }];
    }),
  );
}

/** An engine that the user named takes a model; the embedded one is no answer. */
function refuseToGoWithout(config: Config, stage: PlanStage, want: Want, made: Plan): void {
  if (want.is !== 'planned' || !want.named || made[stage]?.model) return;
  const reasons = made.rejected.filter((one) => one.stage === stage).map(({ id, why }) => `${id}: ${why}`);
  const tried = reasons.length > 0 ? ` (${reasons.slice(0, 3).join('; ')})` : '';
  const { engine } = config[stage];
  throw new EngineError(
    stage,
    `No model for ${stage}.engine ${engine} can be used here${tried}. Name one in ${stage}.model, or set ${stage}.engine: auto.`,
  );
}

function sayPlan(made: Plan, log: Logger): void {
  const { low, high } = made.expected.voiceToVoiceMs;
  log.info(`models  an answer should begin ${low} to ${high} ms after you stop (${made.expected.basis})`);
  for (const note of made.notes) log.info(`models  ${note}`);
}

const fileName = (path: string): string => path.split(/[/\\]/).at(-1)!;
