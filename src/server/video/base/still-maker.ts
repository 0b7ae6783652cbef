import { type BaseClipFacts, type BaseClipMaker, VideoError, type VideoWorker } from '../contracts.ts';

/** Changes when the same picture would be brought to life otherwise; part of cache keys. */
const STILL_VERSION = 1;

/** Brings the picture alone to life, in the worker's process. */
export const stillMaker = (worker: Pick<VideoWorker, 'still'>): BaseClipMaker => ({
  version: `still-${STILL_VERSION}`,
  heavy: false,
  async make(job, onProgress, signal) {
    let facts: BaseClipFacts | undefined;
    for await (const news of worker.still(job, signal)) {
      if (typeof news === 'number') onProgress(news);
      else facts = news;
    }
    signal.throwIfAborted();
    if (!facts) throw new VideoError('The video worker made no clip of the picture; look at its lines in the log.');
    return facts;
  },
  // The worker is its opener's.
  async [Symbol.asyncDispose]() {},
});
