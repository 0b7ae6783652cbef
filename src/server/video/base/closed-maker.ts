import { rename, rm } from 'node:fs/promises';
import type { DebianSettings } from '../../models/debian-packages.ts';
import type { BaseClipMaker } from '../contracts.ts';

/** Share of the work that making a clip is; the rest is closing it. */
const MAKING = 0.95;

/** The same maker, but a clip whose end does not lead back to its beginning is played forward and back, so that it does. */
export const closedMaker = (maker: BaseClipMaker, debian: DebianSettings): BaseClipMaker => ({
  get version() {
    return maker.version;
  },
  get heavy() {
    return maker.heavy;
  },
  async make(job, onProgress, signal) {
    const open = `${job.file}.open.mp4`;
    try {
      const facts = await maker.make({ ...job, file: open }, (done) => onProgress(MAKING * done), signal);
      if (facts.closes === false && (await isClosed(open, job, debian, signal))) return {};
      await rename(open, job.file);
      return facts;
    } finally {
      await rm(open, { force: true });
    }
  },
  [Symbol.asyncDispose]: () => maker[Symbol.asyncDispose](),
});

/** Closes `file` into the job's; false if that is not to be had here: a clip that jumps is better than none. */
async function isClosed(
  file: string,
  job: Parameters<BaseClipMaker['make']>[0],
  debian: DebianSettings,
  signal: AbortSignal,
): Promise<boolean> {
  const { createUserVideo } = await import('./user-video.ts');
  try {
    await createUserVideo({ file, debian }).make(job, () => {}, signal);
    return true;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}
