import type { BaseClipFacts, BaseClipJob } from '../contracts.ts';
import type { Quiet } from '../quiet.ts';
import type { LoopMaker } from './loop-maker.ts';

/** From this share on, what is left takes less than beginning anew would cost: a job is then finished although somebody talks. */
const NEARLY_DONE = 0.8;

/**
 * Makes a base clip; a heavy maker's job is cancelled when talk begins, unless it is nearly done, and gives undefined:
 * speech goes first. What computes on regardless, as Wan's server does, is ended: loading it again costs less than a
 * voice that stutters.
 */
export async function makeInQuiet(
  { maker, release }: LoopMaker,
  job: BaseClipJob,
  quiet: Quiet,
  onProgress: (done: number) => void,
  signal: AbortSignal,
): Promise<BaseClipFacts | undefined> {
  if (!maker.heavy) return maker.make(job, onProgress, signal);
  if (quiet.talking) return undefined;
  let done = 0;
  const giveWay = new AbortController();
  const onTalk = () => {
    if (done < NEARLY_DONE) giveWay.abort();
  };
  const talk = quiet.talk;
  talk.addEventListener('abort', onTalk, { once: true });
  try {
    return await maker.make(
      job,
      (share) => {
        done = share;
        onProgress(share);
      },
      AbortSignal.any([signal, giveWay.signal]),
    );
  } catch (error) {
    signal.throwIfAborted();
    if (!giveWay.signal.aborted) throw error;
    await release?.().catch(() => {});
    return undefined;
  } finally {
    talk.removeEventListener('abort', onTalk);
  }
}
