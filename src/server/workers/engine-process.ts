import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError } from '../engines/contracts.ts';
import { type CallOptions, Worker, type WorkerSpec } from './worker.ts';

/** What became of an engine's process: `down` says why; `up` follows once its replacement has proved itself. */
export type EngineNews = { readonly state: 'down'; readonly why: string } | { readonly state: 'up' };

export type EngineProcessOptions = WorkerSpec & {
  /** A small real call that must succeed before a process, first or replacement, gets any work. */
  readonly canary: (worker: Worker, signal: AbortSignal) => Promise<void>;
  readonly onNews?: (news: EngineNews) => void;
};

const CANARY_MS = 30_000;
const RETRY_MS = [0, 500, 2_000, 5_000, 15_000, 30_000];
const CALM_MS = 60_000;
const WAIT_FOR_REPLACEMENT_MS = 10_000;

/** An engine in a process of its own that is replaced when it crashes or hangs. */
export class EngineProcess implements AsyncDisposable {
  readonly #options: EngineProcessOptions;
  readonly #closed = new AbortController();
  #worker: Worker | undefined;
  #replacement: Promise<void> = Promise.resolve();
  #failures = 0;
  #restarts = 0;
  #facts: Readonly<Record<string, unknown>> = {};

  private constructor(options: EngineProcessOptions) {
    this.#options = options;
  }

  /** Starts the process, loads the engine and tries it out; rejects with an `EngineError` when that fails or `signal` ends it. */
  static async start(options: EngineProcessOptions, signal?: AbortSignal): Promise<EngineProcess> {
    signal?.throwIfAborted();
    const made = new EngineProcess(options);
    const abandon = () => made.#closed.abort();
    signal?.addEventListener('abort', abandon, { once: true });
    try {
      await made.#bringUp();
    } finally {
      signal?.removeEventListener('abort', abandon);
    }
    return made;
  }

  /** The engine's plain properties, such as its `rate`; those of the last process while it is being replaced. */
  get facts(): Readonly<Record<string, unknown>> {
    return this.#facts;
  }

  /** Whether calls are served right now. */
  get up(): boolean {
    return this.#worker !== undefined;
  }

  /** How often the process had to be replaced. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Runs one of the engine's methods; while the process is being replaced, waits for that (10 s at most). */
  async *call(
    method: string,
    args: unknown[],
    input: AsyncIterable<unknown> | undefined,
    signal: AbortSignal,
    options?: CallOptions,
  ): AsyncGenerator<unknown, void, undefined> {
    if (signal.aborted) return;
    const worker = this.#worker ?? (await this.#waitForReplacement(signal));
    if (worker) yield* worker.call(method, args, input, signal, options);
  }

  /** Tries the engine out as at its start; rejects when it does not answer. */
  async canary(): Promise<void> {
    const worker = this.#worker;
    const { stage, name } = this.#options;
    if (!worker) throw new EngineError(stage, `The ${stage} engine ${name} is being replaced.`);
    await this.#options.canary(worker, AbortSignal.timeout(CANARY_MS));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    const worker = this.#worker;
    this.#worker = undefined;
    worker?.kill('was closed');
    await worker?.ended;
    await this.#replacement.catch(() => {});
  }

  async #bringUp(): Promise<void> {
    const worker = new Worker(this.#options);
    const abandon = () => worker.kill('was closed');
    this.#closed.signal.addEventListener('abort', abandon, { once: true });
    try {
      await worker.start();
      const { stage, name } = this.#options;
      const timer = setTimeout(
        () => worker.kill(`did not answer its first call within ${CANARY_MS / 1000} s`),
        CANARY_MS,
      );
      try {
        await this.#options.canary(worker, this.#closed.signal);
      } catch (error) {
        throw error instanceof EngineError
          ? error
          : new EngineError(stage, `The ${stage} engine ${name} failed its first call.`, { cause: error });
      } finally {
        clearTimeout(timer);
      }
    } catch (error) {
      worker.kill('failed to start');
      await worker.ended;
      throw error;
    } finally {
      this.#closed.signal.removeEventListener('abort', abandon);
    }
    this.#closed.signal.throwIfAborted();
    this.#worker = worker;
    this.#facts = worker.facts;
    const since = performance.now();
    void worker.ended.then((why) => {
      this.#worker = undefined;
      if (this.#closed.signal.aborted) return;
      if (performance.now() - since > CALM_MS) this.#failures = 0;
      this.#options.onNews?.({ state: 'down', why });
      this.#replacement = this.#replace();
      this.#replacement.catch(() => {});
    });
  }

  async #replace(): Promise<void> {
    while (!this.#closed.signal.aborted) {
      const wait = RETRY_MS[Math.min(this.#failures++, RETRY_MS.length - 1)]!;
      try {
        await sleep(wait, undefined, { signal: this.#closed.signal });
        await this.#bringUp();
        this.#restarts++;
        this.#options.onNews?.({ state: 'up' });
        return;
      } catch (error) {
        if (this.#closed.signal.aborted) return;
        this.#options.onNews?.({ state: 'down', why: `could not be started again: ${(error as Error).message}` });
      }
    }
  }

  async #waitForReplacement(signal: AbortSignal): Promise<Worker | undefined> {
    const patience = AbortSignal.any([signal, AbortSignal.timeout(WAIT_FOR_REPLACEMENT_MS)]);
    await Promise.race([
      this.#replacement,
      new Promise<void>((resolve) => patience.addEventListener('abort', () => resolve(), { once: true })),
    ]);
    if (signal.aborted) return undefined;
    if (this.#worker) return this.#worker;
    const { stage, name } = this.#options;
    throw new EngineError(stage, `The ${stage} engine ${name} is not running; it is being started again.`);
  }
}
