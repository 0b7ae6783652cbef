import { Queue } from '../async/queue.ts';

/**
 * What `work` tells while it is done, at most a hundred times, and what it gives at the end; nothing more once `signal` aborts.
 * With `againMs` the share that was told last comes again when it has been that long.
 */
export async function* progress<T>(
  work: (tell: (done: number) => void) => Promise<T>,
  signal: AbortSignal,
  againMs?: number,
): AsyncGenerator<number | T, void, undefined> {
  const told = new Queue<number | T>();
  let last = 0;
  const again = againMs === undefined ? undefined : setInterval(() => told.push(last), againMs);
  const tell = (done: number) => {
    if (done < last + 0.01 || done >= 1) return;
    last = done;
    told.push(done);
    again?.refresh();
  };
  const ended = work(tell)
    .then(
      (result) => {
        told.push(result);
        told.end();
      },
      (error) => (signal.aborted ? told.end() : told.fail(error)),
    )
    .finally(() => clearInterval(again));
  yield* told;
  await ended;
}
