import { setTimeout as sleep } from 'node:timers/promises';
import { orAborted } from '../../../async/or-aborted.ts';
import { VideoError } from '../../contracts.ts';
import { type LightX2VServer, startLightX2V } from './lightx2v-server.ts';
import { drop, statusOf } from './lightx2v-task.ts';
import { prepare } from './prepare.ts';
import { restartPays } from './restart-rule.ts';
import type { Wan22Settings, Wan22Task } from './settings.ts';
import type { Wan22Log, Wan22World } from './world.ts';

/** A job that was cancelled while the server worked on it. */
type Left = { readonly id: string; readonly server: LightX2VServer };

type Starting = {
  readonly task: Wan22Task;
  readonly server: Promise<LightX2VServer>;
  readonly giveUp: AbortController;
};

/** Before a start that follows so many failures in a row. */
const BACK_OFF_MS = [0, 2_000, 10_000, 30_000];

/** Keeps one LightX2V server: starts it when it is wanted, again after it failed, and no more when it always does. */
export class LightX2VKeeper {
  readonly #settings: Wan22Settings;
  readonly #world: Wan22World;
  readonly #log: Wan22Log;
  #server: LightX2VServer | undefined;
  #starting: Starting | undefined;
  #left: Left | undefined;
  #failures = 0;
  #lastFailure = '';
  #msPerStep: number | undefined;
  #tailMs = 0;

  constructor(settings: Wan22Settings, world: Wan22World, log: Wan22Log) {
    this.#settings = settings;
    this.#world = world;
    this.#log = log;
  }

  /** Whether the server still works on a job that nobody wants, as far as is known. */
  get isBusyForNobody(): boolean {
    return this.#left !== undefined;
  }

  /**
   * A server that is loaded and set up for the task; `onProgress` hears the share of a download. A start goes on when `signal`
   * aborts: the next job wants the server too.
   */
  async ready(task: Wan22Task, onProgress: (done: number) => void, signal: AbortSignal): Promise<LightX2VServer> {
    if (this.#server && !this.#server.alive) await this.end();
    const other = this.#server?.task ?? this.#starting?.task;
    if (other !== undefined && other !== task) await this.end();
    if (this.#left && (await this.#restartsFor(this.#left, signal))) {
      this.#log.debug('wan22: LightX2V is ended, since it works on what nobody wants any more');
      await this.end();
    }
    if (this.#server) return this.#server;
    this.#starting ??= this.#begin(task, onProgress);
    return orAborted(this.#starting.server, signal);
  }

  /** Ends the server, or its start; settles when nothing of it is left. */
  async end(): Promise<void> {
    const starting = this.#starting;
    const server = this.#server;
    this.#starting = undefined;
    this.#server = undefined;
    this.#left = undefined;
    starting?.giveUp.abort(new VideoError('LightX2V was ended before it was ready.'));
    await Promise.all([server?.stop(), starting?.server.then((one) => one.stop()).catch(() => {})]);
  }

  /** A job is not wanted any more; the server works on it all the same. */
  leave(server: LightX2VServer, id: string): void {
    if (server !== this.#server) return;
    this.#left = { id, server };
    void drop(server, id);
  }

  /** The server works on what is wanted. */
  noLongerLeft(): void {
    this.#left = undefined;
  }

  /** A job that began at `since` (milliseconds of `performance.now()`) is done; from it is known what a restart would save. */
  succeeded({ progress }: LightX2VServer, since: number): void {
    this.#failures = 0;
    this.#left = undefined;
    if (!progress || progress.firstAt < since) return;
    this.#tailMs = performance.now() - progress.at;
    if (progress.step > 1) this.#msPerStep = (progress.at - progress.firstAt) / (progress.step - 1);
  }

  /** The server failed: it is ended, and started again for the next job after a pause that grows. */
  async failed(error: Error): Promise<void> {
    this.#failures++;
    this.#lastFailure = error.message;
    await this.end();
  }

  #begin(task: Wan22Task, onProgress: (done: number) => void): Starting {
    const giveUp = new AbortController();
    const starting = { task, server: this.#start(task, onProgress, giveUp.signal), giveUp };
    const over = (made?: LightX2VServer) => {
      if (this.#starting !== starting) return;
      this.#starting = undefined;
      this.#server = made;
    };
    starting.server.then(over, () => over());
    return starting;
  }

  async #start(task: Wan22Task, onProgress: (done: number) => void, signal: AbortSignal): Promise<LightX2VServer> {
    const { python, port, startMinutes } = this.#settings;
    const { pollMs = 500, pause = pauseByClock } = this.#world;
    const { summary, ...prepared } = await prepare(this.#settings, this.#world, task, this.#log, onProgress, signal);
    if (this.#failures >= BACK_OFF_MS.length) {
      throw new VideoError(
        `LightX2V failed ${this.#failures} times in a row and is left alone until voice-chat is started again. ${this.#lastFailure}`,
      );
    }
    await pause(BACK_OFF_MS[this.#failures]!, signal);
    this.#log.debug(`wan22: LightX2V is started for ${task} (${summary})`);
    try {
      const options = { ...prepared, python, task, port, startMs: startMinutes * 60_000, pollMs };
      const server = await startLightX2V(options, signal);
      this.#log.debug(`wan22: LightX2V is ready after ${Math.round(server.startedInMs / 1000)} s`);
      return server;
    } catch (error) {
      if (!signal.aborted) {
        this.#failures++;
        this.#lastFailure = (error as Error).message;
      }
      throw error;
    }
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
}

const pauseByClock = async (ms: number, signal: AbortSignal): Promise<void> => {
  if (ms > 0) await sleep(ms, undefined, { signal });
};
