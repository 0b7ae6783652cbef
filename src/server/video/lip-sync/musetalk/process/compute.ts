import { Worker } from 'node:worker_threads';
import { VideoError } from '../../../contracts.ts';
import type { Done, FromThread, Job, ThreadSettings } from './jobs.ts';

/** A thread of this process that computes, one job after another. */
export interface Compute extends AsyncDisposable {
  /**
   * Does a job, and lets `say` hear what it says meanwhile. Rejects with a `VideoError` when it fails, and with the signal's
   * reason if that aborts before it is begun; what is begun is done to its end.
   */
  ask(job: Job, say: (sentence: string) => void, signal: AbortSignal): Promise<Done>;
}

/** Starts the thread; where that breaks, the process ends with it, since nothing it is asked would be answered. */
export function startCompute(settings: ThreadSettings): Compute {
  const thread = new Worker(new URL('./compute-thread.js', import.meta.url), { workerData: settings });
  let last: Promise<unknown> = Promise.resolve();
  let heard: (message: FromThread) => void = () => {};
  thread.on('message', (message: FromThread) => heard(message));

  const done = (job: Job, say: (sentence: string) => void): Promise<Done> =>
    new Promise((resolve, reject) => {
      heard = (message) => {
        if ('said' in message) say(message.said);
        else if ('done' in message) resolve(message.done);
        else reject(new VideoError(message.failed));
      };
      thread.postMessage(job);
    });

  return {
    ask(job, say, signal) {
      const answer = last.then(() => {
        signal.throwIfAborted();
        return done(job, say);
      });
      last = answer.catch(() => {});
      return answer;
    },
    [Symbol.asyncDispose]: async () => void (await thread.terminate()),
  };
}
