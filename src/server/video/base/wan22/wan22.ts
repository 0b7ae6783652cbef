import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { orAborted } from '../../../async/or-aborted.ts';
import { type BaseClipFacts, type BaseClipJob, type BaseClipMaker, VideoError } from '../../contracts.ts';
import { LightX2VKeeper } from './lightx2v-keeper.ts';
import type { LightX2VServer } from './lightx2v-server.ts';
import { fetchVideo, finished, newTaskId, ServerGone, submit, sweep, type Wan22Request } from './lightx2v-task.ts';
import { versionOf } from './prepare.ts';
import { WAN22_FPS } from './presets.ts';
import type { Wan22Settings, Wan22Task } from './settings.ts';
import type { Wan22Log, Wan22World } from './world.ts';

/** A maker whose server takes much of a card as long as it runs. */
export type Wan22 = BaseClipMaker & {
  /** Ends the server, so that the card is free at once, unless somebody waits for a video; the next job starts it again. */
  release(): Promise<void>;
};

const QUIET: Wan22Log = { debug: () => {}, info: () => {}, warn: () => {} };
const IDLE_MS = 300_000;
const HUNG_MS = 600_000;
/** Shares of a job's progress: a download, then the steps; what is left is decoding. */
const LOADED = 0.1;
const STEPPED = 0.9;

/** Videos by Wan2.2, made by a LightX2V server that is started at the first job; nothing is looked at before that. */
export function createWan22(settings: Wan22Settings, world: Wan22World, log: Wan22Log = QUIET): Wan22 {
  return new LightX2VMaker(settings, world, log);
}

class LightX2VMaker implements Wan22 {
  readonly version: string;
  readonly heavy = true;
  readonly #settings: Wan22Settings;
  readonly #world: Wan22World;
  readonly #keeper: LightX2VKeeper;
  readonly #closed = new AbortController();
  /** Jobs are made one after the other: this settles when the last one has been. */
  #line: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #idle: NodeJS.Timeout | undefined;

  constructor(settings: Wan22Settings, world: Wan22World, log: Wan22Log) {
    this.#settings = settings;
    this.#world = world;
    this.#keeper = new LightX2VKeeper(settings, world, log);
    this.version = versionOf(settings, world.machine);
  }

  async make(job: BaseClipJob, onProgress: (done: number) => void, signal: AbortSignal): Promise<BaseClipFacts> {
    const either = AbortSignal.any([signal, this.#closed.signal]);
    either.throwIfAborted();
    clearTimeout(this.#idle);
    this.#waiting++;
    let isOver = false;
    // A start, which goes on for the next job when this one is cancelled, has nobody to tell then.
    const tell = (done: number) => {
      if (!isOver && !either.aborted) onProgress(done);
    };
    const before = this.#line;
    const made = orAborted(before, either).then(() => this.#make(job, tell, either));
    this.#line = Promise.allSettled([before, made]);
    try {
      return await made;
    } catch (error) {
      either.throwIfAborted();
      throw error;
    } finally {
      isOver = true;
      this.#waiting--;
      this.#idle = setTimeout(() => void this.release(), this.#world.idleMs ?? IDLE_MS);
      this.#idle.unref();
    }
  }

  async release(): Promise<void> {
    if (this.#waiting === 0) await this.#keeper.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(new VideoError('voice-chat is being shut down.'));
    await this.#keeper.end();
    await this.#line;
    await this.#keeper.end();
    clearTimeout(this.#idle);
  }

  async #make(job: BaseClipJob, onProgress: (done: number) => void, signal: AbortSignal): Promise<BaseClipFacts> {
    const task: Wan22Task = job.loop === 'reply' ? 'i2v' : 'flf2v';
    const server = await this.#keeper.ready(task, (done) => onProgress(done * LOADED), signal);
    const request = await this.#requestFor(job, task);
    const id = newTaskId();
    try {
      await this.#run(server, id, request, job.file, onProgress, signal);
    } catch (error) {
      if (signal.aborted) this.#keeper.leave(server, id);
      signal.throwIfAborted();
      throw await this.#explained(server, error as Error, request);
    }
    onProgress(1);
    // Of a video between two pictures that are one, the end leads back to the beginning.
    return task === 'flf2v' ? {} : { closes: false };
  }

  async #run(
    server: LightX2VServer,
    id: string,
    request: Wan22Request,
    file: string,
    onProgress: (done: number) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { pollMs = 500, hungMs = HUNG_MS } = this.#world;
    const began = performance.now();
    if (!this.#keeper.isBusyForNobody) await sweep(server);
    await submit(server, id, request, { pollMs, hungMs }, signal);
    const onStep = (done: number) => {
      this.#keeper.noLongerLeft();
      onProgress(LOADED + done * (STEPPED - LOADED));
    };
    await finished(server, id, request, { pollMs, hungMs, began }, onStep, signal);
    this.#keeper.succeeded(server, began);
    await fetchVideo(server, id, file, signal);
    await sweep(server);
  }

  /** What went wrong, for the user; a server that died, refused, forgot or hung is not trusted with the next job. */
  async #explained(server: LightX2VServer, error: Error, request: Wan22Request): Promise<VideoError> {
    const hasEnded = error instanceof ServerGone || !server.alive;
    if (hasEnded) {
      await server.ended;
      const why = server.why([request.prompt, request.negativePrompt]);
      const gone = new VideoError(`LightX2V ended while it made a video. ${why}`);
      await this.#keeper.failed(gone);
      return gone;
    }
    if (error instanceof VideoError) {
      await this.#keeper.failed(error);
      return error;
    }
    return new VideoError(`The video could not be kept (${error.message}).`, { cause: error });
  }

  async #requestFor(job: BaseClipJob, task: Wan22Task): Promise<Wan22Request> {
    const { pictureFile, prompt, negativePrompt, loop } = job;
    const picture = await readFile(pictureFile);
    const { frames: most, steps } = this.#settings;
    const wanted = 4 * Math.round((job.seconds * WAN22_FPS - 1) / 4) + 1;
    const about = createHash('sha256').update(picture).update(`${loop}\0${prompt}\0${negativePrompt}`).digest();
    return {
      ...{ prompt, negativePrompt, picture },
      lastFrame: task === 'flf2v' ? pictureFile : '',
      frames: Math.min(most, Math.max(5, wanted)),
      steps: steps.length,
      // The same job makes the same video.
      seed: about.readUInt32LE(0) % 2 ** 31,
    };
  }
}
