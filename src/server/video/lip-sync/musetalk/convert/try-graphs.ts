import type { Tried } from '../process/networks-module.ts';
import { inOwnProcess } from '../process/own-process.ts';
import type { Tensors } from '../process/tensors.ts';

/** A graph that is loaded onto the CPU and run for each of some inputs. */
export type GraphTrial = { readonly file: string; readonly inputs: readonly Tensors[] };

/**
 * Tries graphs one after another in a process of their own, which ends with the last and gives all its memory back. Rejects with
 * a `VideoError` where one cannot be loaded or run, and with the signal's reason once that aborts.
 */
export const tryGraphs = (trials: readonly GraphTrial[], signal: AbortSignal): Promise<Tried[]> =>
  inOwnProcess(
    undefined,
    async (ask) => {
      const results: Tried[] = [];
      for (const { file, inputs } of trials) {
        results.push(await ask('tried', { kind: 'graph', file, device: 'cpu', inputs }));
      }
      return results;
    },
    signal,
  );
