import { EngineError } from '../../../../engines/contracts.ts';
import { Worker } from '../../../../workers/worker.ts';
import { VideoError } from '../../../contracts.ts';
import type { Device } from '../networks.ts';
import type { Tried } from '../process/networks-module.ts';
import { networksWorker } from '../process/start-networks.ts';
import type { Tensors } from '../process/tensors.ts';
import { resultOf } from '../process/told.ts';

/** A graph that is loaded onto a device and run for each of some inputs. */
export type GraphTrial = { readonly file: string; readonly inputs: readonly Tensors[]; readonly device?: Device };

/**
 * Tries graphs one after another in a process of their own, which ends with the last and gives all its memory back. Rejects with
 * a `VideoError` where one cannot be loaded or run, and with the signal's reason once that aborts.
 */
export async function tryGraphs(trials: readonly GraphTrial[], signal: AbortSignal): Promise<Tried[]> {
  signal.throwIfAborted();
  const worker = new Worker(networksWorker(undefined));
  const stop = () => worker.kill('was ended');
  signal.addEventListener('abort', stop, { once: true });
  try {
    await worker.start();
    const results: Tried[] = [];
    for (const { file, inputs, device = 'cpu' } of trials) {
      results.push(await resultOf(worker, 'tried', [{ kind: 'graph', file, device, inputs }], () => {}, signal));
    }
    return results;
  } catch (cause) {
    signal.throwIfAborted();
    throw cause instanceof EngineError ? new VideoError(cause.message, { cause }) : cause;
  } finally {
    signal.removeEventListener('abort', stop);
    worker.kill('is done');
    await worker.ended;
  }
}
