// The main module of an engine's process: loads one engine and runs its methods for the server.
import { Worker } from 'node:worker_threads';
import { Queue } from '../async/queue.ts';
import { EngineError } from '../engines/contracts.ts';
import { batched, type FromWorker, type SentError, type ToWorker } from './messages.ts';

type Method = (...args: unknown[]) => AsyncIterable<unknown>;

const say = batched<FromWorker>((messages) => process.send?.(messages));
const calls = new Map<number, { input: Queue<unknown>; abort: AbortController }>();
let engine: Record<string, unknown> | undefined;

const sent = (error: unknown): SentError => {
  if (!(error instanceof Error)) return { message: String(error) };
  const stage = error instanceof EngineError ? { stage: error.stage } : {};
  return { message: error.message, ...stage, ...(error.stack ? { stack: error.stack } : {}) };
};

async function start(module: string, factory: string, settings: unknown): Promise<void> {
  try {
    const loaded = (await import(module)) as Record<string, (settings: unknown) => Promise<Record<string, unknown>>>;
    const create = loaded[factory];
    if (!create) throw new Error(`The engine module has no ${factory}().`);
    engine = await create(settings);
    const plain = Object.entries(engine).filter(([, value]) => typeof value !== 'function');
    say({ type: 'ready', facts: Object.fromEntries(plain) });
  } catch (error) {
    say({ type: 'failed', error: sent(error) });
  }
}

async function run(id: number, method: string, args: unknown[], hasInput: boolean): Promise<void> {
  const input = new Queue<unknown>();
  const abort = new AbortController();
  calls.set(id, { input, abort });
  try {
    const stream = (engine as Record<string, Method>)[method]!(...args, ...(hasInput ? [input] : []), abort.signal);
    for await (const item of stream) {
      if (abort.signal.aborted) break;
      say({ type: 'item', id, item });
    }
    say({ type: 'done', id });
  } catch (error) {
    say(abort.signal.aborted ? { type: 'done', id } : { type: 'error', id, error: sent(error) });
  } finally {
    calls.delete(id);
  }
}

function take(message: ToWorker): void {
  switch (message.type) {
    case 'start':
      void start(message.module, message.factory, message.settings);
      return;
    case 'call':
      void run(message.id, message.method, message.args, message.hasInput);
      return;
    case 'input':
      calls.get(message.id)?.input.push(message.item);
      return;
    case 'end':
      calls.get(message.id)?.input.end();
      return;
    case 'cancel':
      calls.get(message.id)?.abort.abort();
      calls.get(message.id)?.input.end();
      return;
    case 'ping':
      say({ type: 'pong' });
  }
}

process.on('message', (messages: ToWorker[]) => messages.forEach(take));
// The server is gone, however it went: an engine must not outlive it. One that computes does not see that its channel
// is closed, so a thread of its own looks after that.
process.on('disconnect', () => process.exit(0));
new Worker(`setInterval(() => process.ppid === ${process.ppid} || process.kill(process.pid, 'SIGKILL'), 1000)`, {
  eval: true,
}).unref();
// Ctrl-C reaches the whole process group; the server drains first and then ends its engines itself.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
