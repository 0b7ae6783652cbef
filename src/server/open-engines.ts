import type { Choice } from './choice.ts';
import { chooseEngines } from './choose-engines.ts';
import type { Config } from './config.ts';
import { engineKits, type Kit, tryOut } from './engine-kits.ts';
import type { Engine, Engines, Stage } from './engines/contracts.ts';
import type { Logger } from './log.ts';
import type { PlanWorld } from './plan-here.ts';
import { EngineProcess, type EngineProcessOptions } from './workers/engine-process.ts';

/** An engine that runs, and what is to be said about it. */
export type OpenEngine<T extends Engine = Engine> = {
  readonly engine: T;
  /** Its name and model and where that runs, such as `llama (Qwen3 4B, Q4_K_M) on CUDA, NVIDIA GeForce RTX 5090`. */
  readonly what: string;
  readonly why: string;
  readonly loadMs: number;
  readonly keepsPrompt: boolean;
  readonly voiceInputOff: string | undefined;
  /** Tries it out with a small real call; rejects when it does not answer. */
  canary(): Promise<void>;
  /** Whether it serves calls right now. */
  up(): boolean;
  restarts(): number;
};

/** The four engines of the configuration, running. */
export type OpenEngines = AsyncDisposable & {
  readonly engines: Engines;
  readonly stages: Readonly<Record<Stage, OpenEngine>>;
  /** One description per stage. */
  readonly names: Readonly<Record<Stage, string>>;
  /** Why speaking to it does not work, when it does not; typing always does. */
  readonly voiceInputOff: string | undefined;
};

/** Is told in a sentence when an engine goes down and when its replacement is up. */
export type EngineNewsListener = (stage: Stage, up: boolean, sentence: string) => void;

const START_MS = 120_000;
const CANARY_MS = 30_000;

/**
 * Starts what the configuration names, tries each engine out, and says in one line per stage what runs and why; `signal` ends
 * the start, not what it started.
 */
export async function openEngines(
  config: Config,
  log: Logger,
  onNews: EngineNewsListener,
  signal: AbortSignal,
  world?: PlanWorld,
): Promise<OpenEngines> {
  const stallMs = config.limits.stallSeconds * 1000;
  const opened: AsyncDisposable[] = [];
  async function open<T extends Engine>(stage: Stage, kit: Kit<T>, choice: Choice<T>): Promise<OpenEngine<T>> {
    const started = performance.now();
    let running: Running<T>;
    try {
      running = choice.inProcess
        ? await openHere(stage, kit, choice, log, signal)
        : await openProcess(stage, kit, choice, stallMs, (up, sentence) => onNews(stage, up, sentence), signal);
    } catch (error) {
      if (!choice.fallback || signal.aborted) throw error;
      log.warn(`${stage}  ${choice.what} cannot be used: ${(error as Error).message}`);
      return open(stage, kit, await choice.fallback((error as Error).message));
    }
    opened.push(running.engine);
    signal.throwIfAborted();
    const loadMs = Math.round(performance.now() - started);
    const what = running.runsOn ? `${choice.what} on ${running.runsOn}` : choice.what;
    log.info(`${stage}  ${what} - ${choice.why.replace(/\.$/, '')} - ready in ${loadMs} ms`);
    return {
      ...running,
      what,
      why: choice.why,
      loadMs,
      keepsPrompt: choice.keepsPrompt === true,
      voiceInputOff: choice.voiceInputOff,
    };
  }
  const close = async () => {
    await Promise.all(opened.splice(0).map((engine) => engine[Symbol.asyncDispose]()));
  };
  try {
    const names = { vad: '', asr: '', llm: '', tts: '' };
    const kit = engineKits(config, () => ({ engines: names }));
    const choices = await chooseEngines(config, log, signal, world);
    const [vad, asr, llm, tts] = await Promise.all([
      open('vad', kit.vad, choices.vad),
      open('asr', kit.asr, choices.asr),
      open('llm', kit.llm, choices.llm),
      open('tts', kit.tts, choices.tts),
    ]);
    const stages = { vad, asr, llm, tts };
    for (const stage of Object.keys(stages) as Stage[]) names[stage] = stages[stage].what;
    // Once more, now that its instructions are what they will be in every conversation.
    if (llm.keepsPrompt) await llm.canary();
    return {
      engines: { vad: vad.engine, asr: asr.engine, llm: llm.engine, tts: tts.engine },
      stages,
      names,
      voiceInputOff: asr.voiceInputOff,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

type Running<T extends Engine> = Pick<OpenEngine<T>, 'engine' | 'canary' | 'up' | 'restarts'> & {
  readonly runsOn: string | undefined;
};

async function openHere<T extends Engine>(
  stage: Stage,
  kit: Kit<T>,
  choice: Choice<T>,
  log: Logger,
  signal: AbortSignal,
): Promise<Running<T>> {
  const engine = await choice.inProcess!();
  const within = (...signals: AbortSignal[]) => AbortSignal.any([AbortSignal.timeout(CANARY_MS), ...signals]);
  const canary = () => tryOut(stage, kit, engine, within());
  // A server that is down may come up later, so this is said and does not end the start.
  const first = choice.isServer ? tryOut(stage, kit, engine, within(signal)) : undefined;
  await first?.catch((error: Error) => {
    if (!signal.aborted) log.warn(`${stage}  ${error.message}`);
  });
  return { engine, canary, up: () => true, restarts: () => 0, runsOn: engine.runsOn };
}

async function openProcess<T extends Engine>(
  stage: Stage,
  kit: Kit<T>,
  choice: Choice<T>,
  stallMs: number,
  onNews: (up: boolean, sentence: string) => void,
  signal: AbortSignal,
): Promise<Running<T>> {
  const name = choice.what;
  const options: EngineProcessOptions = {
    stage,
    name,
    module: new URL(`./engines/${choice.module}.js`, import.meta.url),
    factory: choice.factory ?? 'create',
    settings: choice.settings,
    startMs: choice.startMs ?? START_MS,
    stallMs: Math.max(choice.stallMs ?? 0, stallMs),
    canary: (worker, signal) => tryOut(stage, kit, kit.remote(worker), signal),
    onNews: (news) => {
      if (news.state === 'up') onNews(true, `The ${stage} engine ${name} is running again.`);
      else onNews(false, `The ${stage} engine ${name} ${news.why}; a new one is being started.`);
    },
  };
  const process = await EngineProcess.start(options, signal);
  return {
    engine: kit.remote(process),
    canary: () => process.canary(),
    up: () => process.up,
    restarts: () => process.restarts,
    runsOn: process.facts.runsOn as string | undefined,
  };
}
