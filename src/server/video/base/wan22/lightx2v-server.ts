import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { VideoError } from '../../contracts.ts';
import { appliedIn, LastLines, type StepLine, saysNoLora, stepIn } from './lightx2v-log.ts';
import type { Wan22Task } from './settings.ts';
import { supervise } from './supervised.ts';

export type LightX2VOptions = {
  readonly python: string;
  /** The base model's folder. */
  readonly model: string;
  readonly task: Wan22Task;
  /** What is written down for it. */
  readonly config: Readonly<Record<string, unknown>>;
  /** On loopback; 0 takes a free one. */
  readonly port: number;
  readonly startMs: number;
  /** Which card, where there are several. */
  readonly card?: number | undefined;
  /** So many LoRAs must be said to have been applied. */
  readonly mergedLoras: number;
  readonly pollMs: number;
};

/** What it said last of its steps, when, and when the first of them began (milliseconds of `performance.now()`). */
export type Progress = StepLine & { readonly at: number; readonly firstAt: number };

/** A LightX2V server of our own, loaded and ready, in processes that end with us. */
export type LightX2VServer = {
  readonly task: Wan22Task;
  readonly baseUrl: string;
  /** Where it keeps what it gets and makes; nobody else reads there. */
  readonly cache: string;
  readonly startedInMs: number;
  readonly progress: Progress | undefined;
  /** Whether its process is there. */
  readonly alive: boolean;
  /** When it last said anything (milliseconds of `performance.now()`). */
  readonly lastSign: number;
  /** Settles when it has ended, for whatever reason. */
  readonly ended: Promise<void>;
  /** Why it ended, as a sentence; `secrets` is what the sentence must not repeat. */
  why(secrets: readonly string[]): string;
  stop(): Promise<void>;
};

/** Starts LightX2V and waits until it has loaded its weights; rejects with a `VideoError` that says why it did not. */
export async function startLightX2V(options: LightX2VOptions, signal: AbortSignal): Promise<LightX2VServer> {
  for (let tries = 1; ; tries++) {
    const started = await tryStart(options, signal);
    if (started !== 'port taken') return started;
    if (options.port !== 0 || tries === 3) {
      throw new VideoError(
        `The port ${options.port || 'that was free'} is taken. Set video.baseClips.port to another, or to 0 for any.`,
      );
    }
  }
}

async function tryStart(options: LightX2VOptions, signal: AbortSignal): Promise<LightX2VServer | 'port taken'> {
  signal.throwIfAborted();
  const began = performance.now();
  const folder = await mkdtemp(join(tmpdir(), 'voice-chat-wan22-'));
  const cache = join(folder, 'cache');
  const configFile = join(folder, 'config.json');
  await mkdir(cache);
  await writeFile(configFile, JSON.stringify(options.config, null, 2));
  const port = options.port || (await freePort());
  const lines = new LastLines();
  const state = { alive: true, lastSign: began, applied: 0, noLora: false };
  let progress: Progress | undefined;
  const program = supervise({
    command: options.python,
    args: argumentsOf(options, configFile, port),
    env: environmentOf(options, cache),
    folder,
    onLine: (line) => {
      lines.add(line);
      state.lastSign = performance.now();
      if ((appliedIn(line) ?? 0) > 0) state.applied++;
      if (saysNoLora(line)) state.noLora = true;
      const step = stepIn(line);
      if (!step) return;
      const isFirst = step.step === 1 || progress === undefined;
      progress = { ...step, at: state.lastSign, firstAt: isFirst ? state.lastSign : progress!.firstAt };
    },
  });
  const ended = program.ended.then(async () => {
    state.alive = false;
    await rm(folder, { recursive: true, force: true });
  });
  const baseUrl = `http://127.0.0.1:${port}`;
  try {
    await ready(baseUrl, options, state, signal);
    if (state.noLora || state.applied < options.mergedLoras) {
      throw new VideoError(
        'LightX2V did not apply the LoRAs of video.baseClips.loras to their experts. Take files made for Wan2.2 I2V A14B, or leave the list empty.',
      );
    }
  } catch (error) {
    const isDead = !state.alive;
    await program.stop();
    await ended;
    if (signal.aborted) throw signal.reason;
    if (!isDead) throw error;
    if (lines.portWasTaken) return 'port taken';
    throw new VideoError(`LightX2V ended before it was ready. ${lines.reason(options.python, [])}`);
  }
  return {
    task: options.task,
    baseUrl,
    cache,
    startedInMs: performance.now() - began,
    get progress() {
      return progress;
    },
    get alive() {
      return state.alive;
    },
    get lastSign() {
      return state.lastSign;
    },
    ended,
    why: (secrets) => lines.reason(options.python, secrets),
    stop: async () => {
      await program.stop();
      await ended;
    },
  };
}

/** Waits for the sign that it serves, and makes sure that it is the one that was started and not another at that port. */
async function ready(
  baseUrl: string,
  { model, startMs, pollMs }: LightX2VOptions,
  state: { readonly alive: boolean },
  signal: AbortSignal,
): Promise<void> {
  const limit = AbortSignal.timeout(startMs);
  const either = AbortSignal.any([signal, limit]);
  const answer = async (path: string): Promise<Record<string, unknown> | undefined> => {
    const request = AbortSignal.any([either, AbortSignal.timeout(10_000)]);
    const response = await fetch(`${baseUrl}${path}`, { signal: request }).catch(() => undefined);
    return response?.ok ? ((await response.json().catch(() => undefined)) as Record<string, unknown>) : undefined;
  };
  while (state.alive) {
    const health = await answer('/health');
    if (state.alive && health?.status === 'ok') {
      const about = await answer('/v1/service/metadata');
      if (about?.model_path === model) return;
      throw new VideoError(`Another server answers at ${baseUrl}. Set video.baseClips.port to 0 for a free port.`);
    }
    signal.throwIfAborted();
    if (limit.aborted) {
      throw new VideoError(
        `LightX2V was not ready after ${+(startMs / 60_000).toFixed(1)} minutes. Raise video.baseClips.startMinutes, or move the models to a faster disk.`,
      );
    }
    await sleep(pollMs);
  }
  throw new VideoError('LightX2V ended before it was ready.');
}

/** In pairs, since LightX2V takes what it does not know two at a time; on loopback, since by default it listens everywhere. */
const argumentsOf = ({ model, task }: LightX2VOptions, configFile: string, port: number): string[] => [
  ...['-m', 'lightx2v.server'],
  ...['--model_path', model],
  ...['--model_cls', 'wan2.2_moe_distill'],
  ...['--task', task],
  ...['--config_json', configFile],
  ...['--host', '127.0.0.1'],
  ...['--port', String(port)],
];

const environmentOf = ({ card }: LightX2VOptions, cache: string): Record<string, string> => ({
  LIGHTX2V_CACHE_DIR: cache,
  PYTORCH_CUDA_ALLOC_CONF: 'expandable_segments:True',
  DTYPE: 'BF16',
  SENSITIVE_LAYER_DTYPE: 'None',
  // Its progress would otherwise wait in a buffer.
  PYTHONUNBUFFERED: '1',
  ...(card !== undefined && { CUDA_DEVICE_ORDER: 'PCI_BUS_ID', CUDA_VISIBLE_DEVICES: String(card) }),
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}
