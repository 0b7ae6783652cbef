import { Worker, type WorkerSpec } from '../../../../workers/worker.ts';
import { VideoError } from '../../../contracts.ts';
import type { MuseTalkSettings } from '../networks.ts';
import type { NetworksProcess } from './networks-module.ts';
import { type ResultOf, resultOf, videoErrorOf } from './told.ts';

/**
 * How MuseTalk's process is started. The longest that one step of it may take is the first batch on a card that has to be got
 * ready, or one frame on a slow CPU.
 */
export const networksWorker = (settings: MuseTalkSettings | undefined): WorkerSpec => ({
  stage: 'video',
  name: 'musetalk',
  module: new URL('./networks-module.js', import.meta.url),
  factory: 'create',
  settings,
  startMs: 60_000,
  stallMs: 300_000,
});

/** Calls a method of a process, as `resultOf`. */
type Ask = <Method extends keyof NetworksProcess>(method: Method, ...args: unknown[]) => Promise<ResultOf<Method>>;

/**
 * What `work` makes with a process of its own, which ends with it and gives all its memory back. Rejects as `work` does, with a
 * `VideoError` where the process fails, and with the signal's reason once that aborts.
 */
export async function inOwnProcess<T>(
  settings: MuseTalkSettings | undefined,
  work: (ask: Ask) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  signal.throwIfAborted();
  const worker = new Worker(networksWorker(settings));
  let ended: string | undefined;
  void worker.ended.then((why) => (ended = why));
  const stop = () => worker.kill('was ended');
  signal.addEventListener('abort', stop, { once: true });
  try {
    await worker.start();
    return await work((method, ...args) => resultOf(worker, method, args, () => {}, signal));
  } catch (cause) {
    signal.throwIfAborted();
    if (ended === undefined) throw videoErrorOf(cause);
    throw new VideoError(`MuseTalk’s process ${ended}; free some memory, and try again.`, { cause });
  } finally {
    signal.removeEventListener('abort', stop);
    worker.kill('is done');
    await worker.ended;
  }
}
