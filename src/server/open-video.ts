import { setTimeout as sleep } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import type { AvatarView } from '../protocol/messages.ts';
import { avatarsFolder } from './avatars-folder.ts';
import { chooseLipSync } from './choose-lip-sync.ts';
import type { Config } from './config.ts';
import type { Route } from './file-answer.ts';
import { lendingSockets } from './lending-sockets.ts';
import type { Logger } from './log.ts';
import { makerWorld } from './maker-world.ts';
import type { ClipMetrics } from './metrics.ts';
import { AvatarStore } from './video/avatars/avatar-store.ts';
import { chooseBaseMaker } from './video/base/choose-maker.ts';
import { ClipStore } from './video/clip-store.ts';
import type { ReplyVideo } from './video/contracts.ts';
import type { LipSyncSettings, Readiness } from './video/lip-sync/open-lip-sync.ts';
import { LIP_SYNC_PATH } from './video/lip-sync/remote-messages.ts';
import { LoopLibrary } from './video/loop-library.ts';
import type { LoopMaker } from './video/loops/loop-maker.ts';
import { findFfmpeg } from './video/mux/ffmpeg.ts';
import { isLibraryInstalled } from './video/mux/webcodecs-library.ts';
import { Quiet } from './video/quiet.ts';
import { type ClipFacts, VideoEngine } from './video/video-engine.ts';
import type { VideoTier } from './video-link.ts';
import { VideoProcess } from './video-process.ts';
import { VideoRoutes } from './video-routes.ts';

/** What the video tier needs of the server. */
export type VideoWorld = {
  /** Samples per second of all speech. */
  readonly rate: number;
  readonly log: Logger;
  readonly metrics: Pick<ClipMetrics, 'clips' | 'seconds'>;
  /** Tells every page the face, whenever it changes. */
  readonly onAvatar: (avatar: AvatarView) => void;
  /** Tells every page why there is no face at all. */
  readonly onProblem: (problem: string) => void;
};

/** What is known of the video tier, for /healthz. */
export type VideoState = {
  readonly state: 'starting' | 'up' | 'restarting' | 'failed';
  readonly why?: string;
  readonly encoder?: string;
  readonly baseClips: string;
  readonly lipSync: string;
};

type Parts = {
  readonly clips: ClipStore;
  readonly library: LoopLibrary;
  readonly engine: VideoEngine;
};

/** A process may compute for long before it hears of a cancel, on a machine that has other things to do. */
const STALL_MS = 30_000;
/** Where MuseTalk has no quick card, a second of video takes minutes; its clip is given up before that, and the process goes on. */
const PAINTING_STALL_MS = 300_000;
/** How long work in flight gets to end by itself when the server ends. */
const LEAVE_MS = 1_000;

/**
 * The video tier: comes up in the background once it is told to, and says what it found. Speech never waits for it, whatever
 * becomes of it.
 */
export class OpenVideo implements VideoTier, AsyncDisposable {
  readonly #routes = new VideoRoutes();
  readonly #config: Config;
  readonly #world: VideoWorld;
  readonly #quiet = new Quiet();
  readonly #closing = new AbortController();
  /** The process that makes clips, and the one that does what has time: base clips and pictures. */
  readonly #processes: VideoProcess[] = [];
  readonly #warned = new Set<string>();
  #makers: readonly LoopMaker[] = [];
  #lipSync: LipSyncSettings['engine'] | undefined;
  #parts: Parts | undefined;
  #started: Promise<void> = Promise.resolve();
  #is: { readonly state: 'starting' | 'up' } | { readonly state: 'failed'; readonly why: string } = {
    state: 'starting',
  };

  constructor(config: Config, world: VideoWorld) {
    this.#config = config;
    this.#world = world;
  }

  /** Begins; everything that waits for the tier goes on without it until it is up. */
  start(): void {
    this.#started = this.#bringUp().catch((error: Error) => {
      if (this.#closing.signal.aborted) return;
      this.#is = { state: 'failed', why: error.message };
      this.#routes.fail(error.message);
      this.#warn(error.message, 'Speech works without.');
      if (this.problem !== undefined) this.#world.onProblem(this.problem);
    });
  }

  /** Its addresses. */
  get route(): Route {
    return this.#routes.route;
  }

  /** Its WebSockets, by their addresses. */
  get sockets(): ReadonlyMap<string, (socket: WebSocket) => void> {
    // Whoever borrows a lip-sync has none to lend.
    if (this.#config.video.lipSync.engine === 'remote') return new Map();
    return new Map([[LIP_SYNC_PATH, lendingSockets(() => this.#processes[1], this.#world.log)]]);
  }

  get avatar(): AvatarView | undefined {
    return this.#parts?.library.view;
  }

  get problem(): string | undefined {
    return this.#is.state === 'failed' && !this.avatar ? this.#is.why : undefined;
  }

  open(): ReplyVideo | undefined {
    return this.#is.state === 'failed' ? undefined : this.#parts?.engine.open();
  }

  talks(talking: boolean, who: object): void {
    this.#quiet.talks(talking, who);
  }

  /** How it is. */
  get state(): VideoState {
    const { baseClips, lipSync } = this.#config.video;
    const film = this.#processes[0];
    const restarting = this.#is.state === 'up' && !film?.up;
    return {
      ...(restarting ? { state: 'restarting' } : this.#is),
      ...(film?.facts.encoder === undefined ? {} : { encoder: String(film.facts.encoder) }),
      baseClips: baseClips.engine === 'auto' ? 'still' : baseClips.engine,
      // Mouth shapes do until MuseTalk has said that it is ready.
      lipSync: this.#lipSync === 'musetalk' ? (film?.mouths ?? 'visemes') : (this.#lipSync ?? lipSync.engine),
    };
  }

  /** Its processes, for the metrics. */
  get processes(): { stage: string; up: boolean; restarts: number }[] {
    const stages = ['video', 'video_base'];
    return this.#processes.map(({ up, restarts }, i) => ({ stage: stages[i]!, up, restarts }));
  }

  /** Ends everything that runs for it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    const parts = this.#parts;
    const quietly = Promise.all([parts?.engine[Symbol.asyncDispose](), parts?.library[Symbol.asyncDispose]()]);
    await Promise.race([quietly, sleep(LEAVE_MS, undefined, { ref: false })]);
    await Promise.all(this.#processes.map((process) => process[Symbol.asyncDispose]()));
    await this.#started;
    await quietly;
    await Promise.all(this.#makers.map(({ maker }) => maker[Symbol.asyncDispose]()));
    await (this.#parts ?? parts)?.clips[Symbol.asyncDispose]();
  }

  async #bringUp(): Promise<void> {
    const began = performance.now();
    const { video, cache, limits } = this.#config;
    const { rate, log } = this.#world;
    const after = this.#fetchEncoder();
    const lipSync = await this.#chooseLipSync();
    // What can be fetched is there before a process starts.
    const common = { encoder: video.encoder, lipSync, cacheDir: cache.folder, offline: true };
    const longest = lipSync.engine === 'musetalk' ? PAINTING_STALL_MS : STALL_MS;
    const stallMs = Math.max(longest, limits.stallSeconds * 1_000);
    const told = new Set<string>();
    const start = (name: string, readiness: Readiness) => {
      const settings = { ...common, readiness };
      const process = new VideoProcess({ name, settings, rate, stallMs, log, after, told });
      this.#processes.push(process);
      return process;
    };
    const [film, workshop] = [start('for clips', 'stays'), start('for base clips', 'rests')];
    const warn = (text: string) => this.#warn(text);
    const store = await AvatarStore.open({ folder: avatarsFolder(this.#config), first: video.avatar, warn });
    const clips = await ClipStore.open(cache.folder, video.keepClips);
    this.#makers = await this.#chooseMakers(workshop);
    const library = new LoopLibrary({
      worker: workshop.worker,
      mode: video.mode,
      makers: this.#makers,
      prompts: video.prompts,
      quiet: this.#quiet,
      quietSeconds: video.quietSeconds,
    });
    const engine = new VideoEngine({
      worker: film.worker,
      bodies: library,
      clips,
      rate,
      onEnd: (one) => this.#count(one),
    });
    this.#parts = { clips, library, engine };
    this.#routes.open({ store, clips, library, worker: workshop.worker });
    void this.#tellChanges(library);
    const current = await store.current();
    // What is left of earlier runs is no reason not to start.
    await library.tidy((await store.list()).filter(({ id }) => id !== current.id)).catch(() => {});
    await library.choose(current);
    await film.started;
    this.#is = { state: 'up' };
    const { encoder, baseClips } = this.state;
    const ms = Math.round(performance.now() - began);
    log.info(`video  clips by ${encoder}, base clips by ${baseClips}, mouths by ${lipSync.engine} - ready in ${ms} ms`);
  }

  async #chooseLipSync(): Promise<LipSyncSettings> {
    const { settings, why, problem } = await chooseLipSync(this.#config, this.#closing.signal);
    const { engine } = settings;
    if (problem !== undefined) this.#warn(problem, 'Mouth shapes from the sound (visemes) do meanwhile.');
    if (why !== undefined) this.#world.log.info(`video  mouths by ${engine}: ${why}`);
    this.#lipSync = engine;
    return settings;
  }

  /** Once for both processes, which would fetch it twice, and for as long as it takes. */
  async #fetchEncoder(): Promise<void> {
    const { video, cache, models } = this.#config;
    if (video.encoder === 'webcodecs') return;
    const say = (sentence: string) => this.#world.log.info(`video  ${sentence}`);
    try {
      await findFfmpeg({ cacheDir: cache.folder, offline: models.offline, say }, this.#closing.signal);
    } catch (error) {
      if (video.encoder === 'ffmpeg' || !isLibraryInstalled()) throw error;
    }
  }

  /** Whatever keeps the maker that was asked for from its work, the picture alone can speak. */
  async #chooseMakers({ worker }: VideoProcess): Promise<readonly LoopMaker[]> {
    const { baseClips } = this.#config.video;
    const { log } = this.#world;
    try {
      return await chooseBaseMaker(baseClips, makerWorld(this.#config, worker, log, this.#closing.signal));
    } catch (error) {
      this.#warn((error as Error).message, 'The still picture speaks.');
      return chooseBaseMaker({ engine: 'still' }, { worker });
    }
  }

  async #tellChanges(library: LoopLibrary): Promise<void> {
    let told = '';
    let making = false;
    try {
      for await (const view of library.changes(this.#closing.signal)) {
        const json = JSON.stringify(view);
        if (json !== told) this.#world.onAvatar(view);
        told = json;
        if (view.problem !== undefined) this.#warn(view.problem);
        else if (making && view.making === undefined)
          this.#world.log.info('video  the base clips of the face are made');
        making = view.making !== undefined;
      }
    } catch (error) {
      this.#world.log.warn(`video  Changes of the face are not told any more: ${(error as Error).message}`);
    }
  }

  /** Once: what keeps clips from being made often keeps base clips from it too. */
  #warn(sentence: string, consequence = ''): void {
    if (this.#warned.has(sentence)) return;
    this.#warned.add(sentence);
    this.#world.log.warn(`video  ${sentence} ${consequence}`.trim());
  }

  #count({ end, speechSeconds, seconds }: ClipFacts): void {
    const { metrics, log } = this.#world;
    metrics.clips.inc({ result: end.kind });
    if (end.kind === 'done') metrics.seconds.observe(seconds);
    log.debug('clip', { result: end.kind, speechSeconds, seconds });
  }
}
