import { stat } from 'node:fs/promises';
import { NAMED } from './choice.ts';
import type { Config } from './config.ts';
import { EngineError } from './engines/contracts.ts';
import type { Logger } from './log.ts';
import type { Plan, StagePlan } from './machine/plan.ts';
import { PLAN_STAGES, type PlanStage } from './machine/plan-request.ts';
import type { ModelEntry } from './models/model-entry.ts';
import { ModelNotOffered } from './models/model-store-error.ts';
import { readOwnModel } from './models/own-model.ts';
import { ModelStore } from './models/store.ts';
import { modelOf, modelsOf, type PlanHere, type PlanWorld, planHere } from './plan-here.ts';
import { megabytes, type Screen, showDownload } from './show-download.ts';
import { takesModels, type Want } from './wanted-models.ts';

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

/**
 * Finds the models of the configuration, or fetches them, having said how much that is; what was picked for the user and cannot
 * be had is left out. Throws an `EngineError` for what the user named.
 */
export async function supplyModels(
  config: Config,
  log: Logger,
  signal: AbortSignal,
  { screen = process.stderr, ...world }: PlanWorld & { readonly screen?: Screen } = {},
): Promise<Supply> {
  const store = new ModelStore({ ...config.models, log: (line) => log.info(line) });
  if (!PLAN_STAGES.some((stage) => takesModels(config, stage))) return { without: {} };
  const look = () => planHere(config, store, signal, world);
  let here = await look();
  const outOfReach = here.planned.length > 0 ? await store.reachable(signal) : undefined;
  if (outOfReach !== undefined) log.info(`models  the hub is not asked: ${outOfReach}`);
  const notOffered: ModelEntry[] = [];
  const supplied = async (hub: boolean): Promise<Supply> => {
    // A machine for which nothing is planned need not be looked at.
    const made = here.planned.length > 0 ? await here.plan(hub, notOffered) : undefined;
    if (made) {
      sayPlan(made, log);
      for (const stage of here.planned) refuseToGoWithout(config, stage, here, made);
    }
    const models = await fetched(config, store, here, made, { log, screen, notOffered }, signal);
    return { ...models, without: made ? withoutModel(here, made) : {} };
  };
  for (;;) {
    const missing = notOffered.length;
    try {
      return await supplied(outOfReach === undefined);
    } catch (error) {
      // What was picked for the user must not keep the server from starting.
      if (signal.aborted || error instanceof EngineError) throw error;
      // Looked at anew: some of it may have come before it broke.
      here = await look();
      const isOne = notOffered.length > missing;
      const rest = isOne ? `without ${notOffered.at(-1)!.id}` : 'with what is here';
      log.warn(`models  ${(error as Error).message} Going on ${rest}.`);
      if (!isOne) return supplied(false);
    }
  }
}

/** Downloads what is missing, first what the user named, without which there is no start; adds to `notOffered` what the hub has not. */
async function fetched(
  config: Config,
  store: ModelStore,
  here: PlanHere,
  made: Plan | undefined,
  { log, screen, notOffered }: { log: Logger; screen: Screen; notOffered: ModelEntry[] },
  signal: AbortSignal,
): Promise<Partial<Record<PlanStage, Supplied>>> {
  const all = modelsOf(here, made);
  const { bytes, files } = await store.missing(all, signal);
  if (files > 0 && !config.models.offline) {
    const ids = all.map(({ id }) => id).join(', ');
    log.info(`models  ${megabytes(bytes)} to download into ${config.models.folder}: ${ids}`);
  }
  const pull = async (entry: ModelEntry) => {
    const shown = showDownload(screen);
    const [stored] = await store.pull([entry], shown.show, signal).finally(() => shown.end());
    return stored!.files;
  };
  const supplied: Partial<Record<PlanStage, Supplied>> = {};
  for (const stage of [...PLAN_STAGES].sort((a, b) => rank(here.wants[a]) - rank(here.wants[b]))) {
    const want = here.wants[stage];
    if (want.is === 'path') supplied[stage] = await ownModel(stage, config[stage].engine, want.path);
    const entry = modelOf(here, made, stage);
    if (!entry) continue;
    const { id, title, family, engine } = entry;
    const plan = want.is === 'planned' ? made?.[stage] : undefined;
    const files = await pull(entry).catch((cause: Error) => {
      if (want.is !== 'entry' && cause instanceof ModelNotOffered) notOffered.push(entry);
      if (want.is !== 'entry' || signal.aborted) throw cause;
      const fix = `Where the hub can be reached, voice-chat models pull ${id} fetches it.`;
      throw new EngineError(stage, `${cause.message} ${fix}`, { cause });
    });
    supplied[stage] = { id, title, family, engine, files, why: plan?.why ?? NAMED, plan };
  }
  return supplied;
}

const rank = ({ is }: Want): number => (is === 'planned' ? 1 : 0);

async function ownModel(stage: PlanStage, engine: string, path: string): Promise<Supplied> {
  const common = { id: path, why: NAMED, engine: undefined, plan: undefined };
  const takesFile = stage === 'llm' || engine === 'whisper';
  const about = await stat(path).catch(() => undefined);
  if (takesFile && about?.isDirectory())
    throw new EngineError(stage, `${path} is a folder; ${stage}.model of the engine ${engine} is a file.`);
  if (!takesFile && about?.isFile()) {
    const fix = 'name the folder it lies in, with a voice-chat.json (docs/models.md) that names its files';
    throw new EngineError(stage, `${path} is a file; of the engine ${engine}, ${fix}.`);
  }
  if (takesFile) {
    const family = stage === 'llm' ? 'gguf' : 'whisper-ggml';
    return { ...common, title: path.split(/[/\\]/).at(-1)!, family, files: { model: path } };
  }
  const { title, family, files } = await readOwnModel(path, stage).catch((cause: Error) => {
    throw new EngineError(stage, cause.message, { cause });
  });
  return { ...common, title, family, files };
}

const withoutModel = ({ planned }: PlanHere, made: Plan): Supply['without'] =>
  Object.fromEntries(planned.flatMap((stage) => (made[stage]?.model ? [] : [[stage, made[stage]?.why]])));

/** An engine that the user named takes a model; the embedded one is no answer. */
function refuseToGoWithout(config: Config, stage: PlanStage, { wants }: PlanHere, made: Plan): void {
  const want = wants[stage];
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
