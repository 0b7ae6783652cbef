import { orAborted } from './async/or-aborted.ts';
import { Queue } from './async/queue.ts';
import type { Logger } from './log.ts';
import type { LipSyncMessage } from './video/lip-sync/serve-lip-sync.ts';
import type { News } from './video/news.ts';
import { remoteVideoWorker, tryVideoWorker } from './video/remote-video-worker.ts';
import type { VideoWorkerSettings } from './video/video-worker.ts';
import { EngineProcess } from './workers/engine-process.ts';
import type { CallOptions, Worker } from './workers/worker.ts';

/** What a process of the video tier is started with. */
export type VideoProcessOptions = {
  /** What it is for, as in `The video engine for clips crashed`. */
  readonly name: string;
  readonly settings: VideoWorkerSettings;
  /** Samples per second of the speech it is tried out with. */
  readonly rate: number;
  readonly stallMs: number;
  readonly log: Logger;
  /** It is started when this resolves; its failure is the process's own. */
  readonly after: Promise<void>;
  /** What is told once, whichever process says it, has been told already; grows. */
  readonly told: Set<string>;
};

/** A machine that has much to do may take long to load it and make the first picture. */
const START_MS = 60_000;

/** A process of the video tier, usable from the beginning: calls wait until it has started, or fail as its start did. */
export class VideoProcess implements AsyncDisposable {
  /** Rejects with the sentence that says why it cannot be started. */
  readonly started: Promise<void>;
  readonly worker = remoteVideoWorker(this);
  readonly #starting: Promise<EngineProcess>;
  readonly #closed = new AbortController();
  #process: EngineProcess | undefined;
  #mouths: News['mouths'];

  constructor({ after, ...options }: VideoProcessOptions) {
    this.#starting = after.then(() => {
      this.#closed.signal.throwIfAborted();
      return this.#start(options);
    });
    this.started = this.#starting.then((process) => {
      this.#process = process;
    });
    // Whoever calls it hears why.
    this.started.catch(() => {});
  }

  get facts(): Readonly<Record<string, unknown>> {
    return this.#process?.facts ?? {};
  }

  get up(): boolean {
    return this.#process?.up ?? false;
  }

  /** Which lip-sync makes the mouths, where the process has told. */
  get mouths(): News['mouths'] {
    return this.#mouths;
  }

  get restarts(): number {
    return this.#process?.restarts ?? 0;
  }

  /** As of `EngineProcess`. */
  async *call(
    method: string,
    args: unknown[],
    input: AsyncIterable<unknown> | undefined,
    signal: AbortSignal,
    options?: CallOptions,
  ): AsyncGenerator<unknown, void, undefined> {
    const process = await orAborted(this.#starting, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
    if (process) yield* process.call(method, args, input, signal, options);
  }

  /** Lends its lip-sync to another voice-chat for one speech, as `serveLipSync` does. */
  lend(messages: AsyncIterable<LipSyncMessage>, signal: AbortSignal): AsyncIterable<LipSyncMessage> {
    return this.call('lend', [], messages, signal) as AsyncIterable<LipSyncMessage>;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    const process = await this.#starting.catch(() => undefined);
    await process?.[Symbol.asyncDispose]();
  }

  #start({ name, settings, rate, stallMs, log, told }: Omit<VideoProcessOptions, 'after'>): Promise<EngineProcess> {
    return EngineProcess.start(
      {
        stage: 'video',
        name,
        module: new URL('./video/video-worker.js', import.meta.url),
        factory: 'create',
        settings,
        startMs: START_MS,
        stallMs,
        canary: async (worker, signal) => {
          await tryVideoWorker(worker, rate, signal);
          void this.#listen(worker, log, told);
        },
        onNews: (news) => {
          if (news.state === 'up') log.info(`The video engine ${name} is running again.`);
          else log.warn(`The video engine ${name} ${news.why}; a new one is being started. Speech goes on without it.`);
        },
      },
      this.#closed.signal,
    );
  }

  /** Tells the log what the process has to say, until it ends. */
  async #listen(worker: Worker, log: Logger, told: Set<string>): Promise<void> {
    // A call whose input has not ended owes nothing, and may be silent for as long as it likes.
    const open = new Queue<never>();
    this.#mouths = undefined;
    try {
      for await (const news of worker.call('news', [], open, this.#closed.signal)) {
        const { level, text, repeats, mouths } = news as News;
        this.#mouths = mouths ?? this.#mouths;
        if (level === 'info' && !repeats && told.has(text)) continue;
        told.add(text);
        log[level](`video  ${text}`);
      }
    } catch {
      // The process ended, of which its keeper tells.
    } finally {
      open.end();
    }
  }
}
