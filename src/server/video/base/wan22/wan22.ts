import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { freeBytes } from '../../../models/disk-space.ts';
import { type BaseClipFacts, type BaseClipJob, type BaseClipMaker, VideoError } from '../../contracts.ts';
import { checkBase, checkExperts, checkSteps } from './checks.ts';
import { type LightX2VServer, startLightX2V } from './lightx2v-server.ts';
import { drop, fetchVideo, finished, ServerGone, statusOf, submit, sweep, type Wan22Request } from './lightx2v-task.ts';
import { checkLoras } from './lora-checks.ts';
import { identityOf, type Wan22Store, wan22Files } from './model-files.ts';
import { lightx2vConfig, placementFor, setupFor, VIDEO_SIDE, WAN22_FPS } from './presets.ts';
import { restartPays } from './restart-rule.ts';
import type { Wan22Machine, Wan22Settings, Wan22Task } from './settings.ts';

/** What the maker needs of the world around it. */
export type Wan22World = {
  /** The machine as it was found at the start, by which preset and weights are chosen. */
  readonly machine: Wan22Machine;
  /** The machine as it is now, asked before each start of LightX2V; `machine` if not given. */
  readonly look?: (signal: AbortSignal) => Promise<Wan22Machine>;
  readonly store: Wan22Store;
  /** How often the server is asked, in milliseconds; 500 if not given. */
  readonly pollMs?: number;
  /** After so long without a job the card is given back, in milliseconds; five minutes if not given. */
  readonly idleMs?: number;
  /** A pause by the clock, if not given. */
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<void>;
};

export type Wan22Log = Pick<Record<'debug' | 'info' | 'warn', (line: string) => void>, 'debug' | 'info' | 'warn'>;

/** A maker whose server takes much of a card as long as it runs. */
export type Wan22 = BaseClipMaker & {
  /** Ends the server, so that the card is free at once, unless somebody waits for a video; the next job starts it again. */
  release(): Promise<void>;
};

const QUIET: Wan22Log = { debug: () => {}, info: () => {}, warn: () => {} };
/** Before a start that follows so many failures in a row. */
const BACK_OFF_MS = [0, 2_000, 10_000, 30_000];
const IDLE_MS = 300_000;
const LEAST_DISK_BYTES = 1e9;
/** Shares of a job's progress: loading weights, the steps, the decoding that follows. */
const LOADED = 0.1;
const STEPPED = 0.9;

/** Videos by Wan2.2, made by a LightX2V server that is started at the first job; nothing is looked at before that. */
export function createWan22(settings: Wan22Settings, world: Wan22World, log: Wan22Log = QUIET): Wan22 {
  return new LightX2VMaker(settings, world, log);
}

type Starting = {
  readonly task: Wan22Task;
  readonly server: Promise<LightX2VServer>;
  readonly giveUp: AbortController;
};

/** A job that was cancelled while the server worked on it. */
type Left = { readonly id: string; readonly server: LightX2VServer };

class LightX2VMaker implements Wan22 {
  readonly version: string;
  readonly heavy = true;
  readonly #settings: Wan22Settings;
  readonly #world: Wan22World;
  readonly #log: Wan22Log;
  readonly #closed = new AbortController();
  #line: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #server: LightX2VServer | undefined;
  /** A server that is being started, and the way to give it up. */
  #starting: Starting | undefined;
  #left: Left | undefined;
  #failures = 0;
  #lastFailure = '';
  #msPerStep: number | undefined;
  #tailMs = 0;
  #idle: NodeJS.Timeout | undefined;

  constructor(settings: Wan22Settings, world: Wan22World, log: Wan22Log) {
    this.#settings = settings;
    this.#world = world;
    this.#log = log;
    this.version = versionOf(settings, world.machine);
  }

  async make(job: BaseClipJob, onProgress: (done: number) => void, signal: AbortSignal): Promise<BaseClipFacts> {
    const either = AbortSignal.any([signal, this.#closed.signal]);
    either.throwIfAborted();
    clearTimeout(this.#idle);
    this.#waiting++;
    const before = this.#line;
    const mine = promise();
    this.#line = Promise.all([before, mine.settled]);
    let isOver = false;
    // A start goes on for the next job when this one is cancelled.
    const tell = (done: number) => {
      if (!isOver && !either.aborted) onProgress(done);
    };
    try {
      await orAborted(before, either);
      const task: Wan22Task = job.loop === 'reply' ? 'i2v' : 'flf2v';
      const server = await this.#ready(task, tell, either);
      await this.#run(server, job, task, tell, either);
      this.#failures = 0;
      tell(1);
      // Of a video between two pictures that are one, the end leads back to the beginning.
      return task === 'flf2v' ? {} : { closes: false };
    } catch (error) {
      either.throwIfAborted();
      throw error;
    } finally {
      isOver = true;
      this.#waiting--;
      mine.settle();
      this.#idle = setTimeout(() => void this.release(), this.#world.idleMs ?? IDLE_MS);
      this.#idle.unref();
    }
  }

  async release(): Promise<void> {
    if (this.#waiting === 0) await this.#end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(new VideoError('voice-chat is being shut down.'));
    clearTimeout(this.#idle);
    await this.#end();
    await this.#line;
    await this.#end();
  }

  async #end(): Promise<void> {
    const starting = this.#starting;
    const server = this.#server;
    this.#starting = undefined;
    this.#server = undefined;
    this.#left = undefined;
    starting?.giveUp.abort(new VideoError('LightX2V was ended before it was ready.'));
    await Promise.all([server?.stop(), starting?.server.then((one) => one.stop()).catch(() => {})]);
  }

  /** A server that is loaded and set up for the task. A start goes on when its job is cancelled: the next one wants it too. */
  async #ready(task: Wan22Task, onProgress: (done: number) => void, signal: AbortSignal): Promise<LightX2VServer> {
    if (this.#server && !this.#server.alive) this.#server = undefined;
    const other = this.#server?.task ?? this.#starting?.task;
    if (other !== undefined && other !== task) await this.#end();
    if (this.#left && (await this.#restartsFor(this.#left, signal))) {
      this.#log.debug('wan22: LightX2V is ended, since it works on what nobody wants any more');
      await this.#end();
    }
    if (this.#server) return this.#server;
    this.#starting ??= this.#begin(task, onProgress);
    const { server } = this.#starting;
    return orAborted(server, signal);
  }

  #begin(task: Wan22Task, onProgress: (done: number) => void): Starting {
    const giveUp = new AbortController();
    const server = this.#start(task, onProgress, AbortSignal.any([giveUp.signal, this.#closed.signal]));
    const starting = { task, server, giveUp };
    const over = (made?: LightX2VServer) => {
      if (this.#starting !== starting) return;
      this.#starting = undefined;
      this.#server = made;
    };
    server.then(over, () => over());
    return starting;
  }

  async #start(task: Wan22Task, onProgress: (done: number) => void, signal: AbortSignal): Promise<LightX2VServer> {
    const { python, port, startMinutes, loras } = this.#settings;
    const config = await this.#prepare(task, (done) => onProgress(done * LOADED), signal);
    if (this.#failures >= BACK_OFF_MS.length) {
      throw new VideoError(
        `LightX2V failed ${this.#failures} times in a row and is left alone until voice-chat is started again. ${this.#lastFailure}`,
      );
    }
    await (this.#world.pause ?? pauseByClock)(BACK_OFF_MS[this.#failures]!, signal);
    this.#log.debug(`wan22: starting LightX2V for ${task}, ${JSON.stringify(config.said)}`);
    try {
      const server = await startLightX2V(
        {
          ...{ python, task, port, model: config.model, config: config.written, card: config.card },
          startMs: startMinutes * 60_000,
          mergedLoras: config.written.lora_dynamic_apply === false ? loras.length : 0,
          pollMs: this.#pollMs,
        },
        signal,
      );
      this.#log.debug(`wan22: LightX2V is ready after ${Math.round(server.startedInMs / 1000)} s`);
      return server;
    } catch (error) {
      if (!signal.aborted) this.#failed(error);
      throw error;
    }
  }

  /** Looks at settings, files and machine, and says what LightX2V is to read. */
  async #prepare(task: Wan22Task, onProgress: (done: number) => void, signal: AbortSignal) {
    const settings = this.#settings;
    checkSteps(settings);
    const machine = (await this.#world.look?.(signal)) ?? this.#world.machine;
    const planned = setupFor(settings, machine);
    const files = await wan22Files(
      settings,
      planned.weights,
      this.#world.store,
      (line) => this.#log.info(`wan22: ${line}`),
      onProgress,
      signal,
    );
    await checkBase(files.base);
    const isOwn = settings.highNoise !== '' && settings.lowNoise !== '';
    const weights = await checkExperts(files, isOwn ? settings.weights : planned.weights);
    // Only now it is known what the user's own files are.
    const setup = setupFor({ preset: settings.preset, weights }, machine);
    const warning = await checkLoras(settings.loras, weights);
    if (warning) this.#log.warn(`wan22: ${warning}`);
    const disk = await freeBytes(tmpdir());
    if (disk < LEAST_DISK_BYTES) {
      throw new VideoError(
        `The disk of ${tmpdir()} has ${(disk / 1e9).toFixed(1)} GB free, and videos need 1 GB. Free some.`,
      );
    }
    const placement = placementFor(setup, machine);
    const cards = machine.gpus.filter(({ maker }) => maker === 'nvidia').length;
    return {
      model: files.base,
      written: lightx2vConfig(settings, setup, placement, files, task),
      card: cards > 1 ? setup.index : undefined,
      said: { preset: setup.preset, weights, ...placement },
    };
  }

  async #run(
    server: LightX2VServer,
    job: BaseClipJob,
    task: Wan22Task,
    onProgress: (done: number) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const request = await this.#requestFor(job, task);
    const began = performance.now();
    let id: string | undefined;
    try {
      if (!this.#left) await sweep(server);
      id = await submit(server, request, this.#pollMs, signal);
      const onStep = (done: number) => {
        this.#left = undefined;
        onProgress(LOADED + done * (STEPPED - LOADED));
      };
      await finished(server, id, request, this.#pollMs, onStep, signal);
      this.#left = undefined;
      this.#measure(server, began);
      await fetchVideo(server, id, job.file, signal);
      await sweep(server);
    } catch (error) {
      if (signal.aborted) {
        if (id !== undefined && server === this.#server) this.#leave(server, id);
        throw signal.reason;
      }
      if (error instanceof ServerGone || !server.alive) {
        await server.ended;
        const gone = new VideoError(
          `LightX2V ended while it made a video. ${server.why([job.prompt, job.negativePrompt])}`,
        );
        this.#failed(gone);
        throw gone;
      }
      if (!(error instanceof VideoError)) {
        throw new VideoError(`The video could not be kept (${(error as Error).message}).`, { cause: error });
      }
      // A server that refuses, forgets or hangs is not trusted with the next job.
      await this.#end();
      this.#failed(error);
      throw error;
    }
  }

  #leave(server: LightX2VServer, id: string): void {
    this.#left = { id, server };
    void drop(server, id);
  }

  async #requestFor(job: BaseClipJob, task: Wan22Task): Promise<Wan22Request> {
    const picture = await readFile(job.pictureFile);
    const { frames: most, steps } = this.#settings;
    const wanted = 4 * Math.round((job.seconds * WAN22_FPS - 1) / 4) + 1;
    const seed = createHash('sha256')
      .update(picture)
      .update(`${job.loop}\0${job.prompt}\0${job.negativePrompt}`)
      .digest();
    return {
      prompt: job.prompt,
      negativePrompt: job.negativePrompt,
      picture,
      lastFrame: task === 'flf2v' ? job.pictureFile : '',
      frames: Math.min(most, Math.max(5, wanted)),
      steps: steps.length,
      // The same job makes the same video.
      seed: seed.readUInt32LE(0) % 2 ** 31,
    };
  }

  /** How long a step takes, and what follows the last, to know later what a restart saves. */
  #measure({ progress }: LightX2VServer, began: number): void {
    if (!progress || progress.firstAt < began) return;
    this.#tailMs = performance.now() - progress.at;
    if (progress.step > 1) this.#msPerStep = (progress.at - progress.firstAt) / (progress.step - 1);
  }

  async #restartsFor({ id, server }: Left, signal: AbortSignal): Promise<boolean> {
    const status = await statusOf(server, id, signal);
    if (status === 'completed' || status === 'failed' || status === 'unknown') {
      this.#left = undefined;
      return false;
    }
    const { progress, startedInMs: startMs } = server;
    const stepsLeft = progress ? progress.steps - progress.step + 1 : this.#settings.steps.length;
    return restartPays({ stepsLeft, msPerStep: this.#msPerStep, tailMs: this.#tailMs, startMs });
  }

  #failed(error: unknown): void {
    this.#failures++;
    this.#lastFailure = (error as Error).message;
  }

  get #pollMs(): number {
    return this.#world.pollMs ?? 500;
  }
}

/** Of all that changes what is seen, apart from picture and words; a machine without a card is known by that. */
function versionOf(settings: Wan22Settings, machine: Wan22Machine): string {
  const { frames, steps, boundaryStep } = settings;
  const setup = (() => {
    try {
      const { preset, weights } = setupFor(settings, machine);
      return { preset, weights };
    } catch {
      return undefined;
    }
  })();
  const about = { setup, models: identityOf(settings, setup?.weights), frames, steps, boundaryStep, side: VIDEO_SIDE };
  return `wan22-${createHash('sha256').update(JSON.stringify(about)).digest('hex').slice(0, 16)}`;
}

const pauseByClock = async (ms: number, signal: AbortSignal): Promise<void> => {
  if (ms > 0) await sleep(ms, undefined, { signal });
};

/** What `work` gives, or the signal's reason at once. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let leave = () => {};
  const aborted = new Promise<never>((_, reject) => {
    leave = () => reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}

function promise(): { readonly settled: Promise<void>; readonly settle: () => void } {
  let settle = () => {};
  const settled = new Promise<void>((resolve) => {
    settle = resolve;
  });
  return { settled, settle };
}
