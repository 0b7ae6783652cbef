import { type ChildProcess, fork } from 'node:child_process';
import { Queue } from '../async/queue.ts';
import { EngineError, type FailedPart } from '../engines/contracts.ts';
import { batched, type FromWorker, type SentError, type ToWorker } from './messages.ts';
import { SILENT } from './silent.ts';

/** Which engine to run, and how long it may take. */
export type WorkerSpec = {
  readonly stage: FailedPart;
  /** The engine's name, for messages. */
  readonly name: string;
  /** The engine's module and the function in it that creates the engine from `settings` (plain data). */
  readonly module: URL;
  readonly factory: string;
  readonly settings: unknown;
  /** How long loading may take. */
  readonly startMs: number;
  /** How long a call that owes a result may give none before the process counts as hung. */
  readonly stallMs: number;
};

export type CallOptions = {
  /** The engine owes one result for each item of the input, not only after its end. */
  readonly resultPerItem?: boolean;
};

type Call = {
  results: Queue<unknown>;
  owed: () => boolean;
  /** Whether it may have to wait until calls before it are done. */
  queues: boolean;
  lastProgress: number;
  received: number;
};

const HEARTBEAT_MS = 1_000;
const MISSED_HEARTBEATS = 6;

/** A process that computes does not notice that the server is gone, so it is killed on the way out. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** One engine process, from its start to its one and only end. `EngineProcess` replaces it when it dies. */
export class Worker {
  readonly ended: Promise<string>;
  facts: Readonly<Record<string, unknown>> = {};
  readonly #spec: WorkerSpec;
  readonly #child: ChildProcess;
  readonly #send: (message: ToWorker) => void;
  readonly #calls = new Map<number, Call>();
  readonly #leaving = new Map<number, number>();
  readonly #heartbeat: NodeJS.Timeout;
  #lastId = 0;
  #unanswered = 0;
  #loaded = false;
  #triedOut = false;
  #why: string | undefined;
  #end: EngineError | undefined;
  #started!: { resolve: () => void; reject: (error: Error) => void };

  constructor(spec: WorkerSpec) {
    this.#spec = spec;
    this.#child = fork(new URL('./host.js', import.meta.url), {
      serialization: 'advanced',
      execArgv: [],
      env: { ...process.env, ...SILENT },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    running.add(this.#child);
    // What a library prints until the first call has ended may help; later it may be what was said, which belongs into no log.
    for (const output of [this.#child.stdout!, this.#child.stderr!]) {
      output.on('data', (bytes: Buffer) => this.#triedOut || process.stderr.write(bytes));
    }
    this.#send = batched((messages) => {
      if (this.#child.connected) this.#child.send(messages, () => {});
    });
    this.#child.on('message', (messages: FromWorker[]) => {
      for (const message of messages) this.#take(message);
    });
    this.#child.on('error', () => {});
    this.ended = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        running.delete(this.#child);
        clearInterval(this.#heartbeat);
        const why = this.#why ?? `crashed (${signal ?? `exit code ${code}`})`;
        const { stage, name } = this.#spec;
        this.#end = new EngineError(stage, `The ${stage} engine ${name} ${why}; a new one is being started.`);
        for (const call of this.#calls.values()) call.results.fail(this.#end);
        this.#calls.clear();
        resolve(why);
      });
    });
    this.#heartbeat = setInterval(() => this.#watch(), HEARTBEAT_MS);
  }

  /** Loads the engine; rejects with an `EngineError` if it cannot be. */
  async start(): Promise<void> {
    const { module, factory, settings, startMs, stage, name } = this.#spec;
    const timer = setTimeout(() => this.kill(`did not load within ${startMs / 1000} s`), startMs);
    try {
      await new Promise<void>((resolve, reject) => {
        this.#started = { resolve, reject };
        this.#send({ type: 'start', module: module.href, factory, settings });
        void this.ended.then((why) => reject(new EngineError(stage, `The ${stage} engine ${name} ${why}.`)));
      });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Runs one of the engine's methods; the iteration ends early, without an error, when `signal` aborts. */
  async *call(
    method: string,
    args: unknown[],
    input: AsyncIterable<unknown> | undefined,
    signal: AbortSignal,
    options: CallOptions = {},
  ): AsyncGenerator<unknown, void, undefined> {
    if (signal.aborted) return;
    if (this.#end) throw this.#end;
    const id = ++this.#lastId;
    let given = 0;
    let inputEnded = !input;
    const owed = () => inputEnded || (options.resultPerItem === true && given > call.received);
    const queues = options.resultPerItem !== true;
    const call: Call = { results: new Queue(), owed, queues, lastProgress: performance.now(), received: 0 };
    this.#calls.set(id, call);
    const onAbort = () => call.results.end();
    signal.addEventListener('abort', onAbort, { once: true });
    this.#send({ type: 'call', id, method, args, hasInput: input !== undefined });
    const pump = async () => {
      for await (const item of input ?? []) {
        if (!this.#calls.has(id)) return;
        if (!call.owed()) call.lastProgress = performance.now();
        given++;
        this.#send({ type: 'input', id, item });
      }
      call.lastProgress = performance.now();
      inputEnded = true;
      this.#send({ type: 'end', id });
    };
    if (input) pump().catch((error) => call.results.fail(error));
    try {
      for await (const item of call.results) {
        if (signal.aborted) return;
        yield item;
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      if (this.#calls.delete(id)) {
        this.#send({ type: 'cancel', id });
        this.#leaving.set(id, performance.now());
      }
    }
  }

  /** Ends the process at once; calls in flight fail saying that the engine `why` ("hung", say). */
  kill(why: string): void {
    this.#why ??= why;
    this.#child.kill('SIGKILL');
  }

  #take(message: FromWorker): void {
    this.#unanswered = 0;
    if ('id' in message) this.#goesOn(message.id);
    switch (message.type) {
      case 'ready':
        this.facts = message.facts;
        this.#loaded = true;
        this.#started.resolve();
        return;
      case 'failed':
        this.#started.reject(this.#error(message.error));
        return;
      case 'item': {
        const call = this.#calls.get(message.id);
        if (!call) return;
        call.received++;
        call.lastProgress = performance.now();
        call.results.push(message.item);
        return;
      }
      case 'done':
      case 'error': {
        const call = this.#calls.get(message.id);
        this.#calls.delete(message.id);
        this.#leaving.delete(message.id);
        this.#triedOut = true;
        if (message.type === 'done') call?.results.end();
        else call?.results.fail(this.#error(message.error));
      }
    }
  }

  /** An engine takes calls in turn: those after one that gets somewhere wait for it, and are not stuck. */
  #goesOn(id: number): void {
    const now = performance.now();
    for (const [other, call] of this.#calls) if (call.queues && other > id) call.lastProgress = now;
  }

  /** Once a second: does the process still answer, does every call that owes a result make progress? */
  #watch(): void {
    if (!this.#loaded) return; // loading may block it for long; `startMs` watches that
    const late = performance.now() - this.#spec.stallMs;
    const stalled = [...this.#calls.values()].some((call) => call.owed() && call.lastProgress < late);
    const ignoresCancel = [...this.#leaving.values()].some((since) => since < late);
    // Beats are counted, not timed: after the machine slept, every clock is late.
    if (stalled || ignoresCancel || this.#unanswered >= MISSED_HEARTBEATS) return this.kill('hung');
    this.#unanswered++;
    this.#send({ type: 'ping' });
  }

  #error(sent: SentError): EngineError {
    const cause = new Error(sent.message);
    if (sent.stack) cause.stack = sent.stack;
    return new EngineError(sent.stage ?? this.#spec.stage, sent.message, { cause });
  }
}
