import { whenAborted } from '../../async/when-aborted.ts';
import type { Clock } from '../clock.ts';
import type { ReplyWords } from '../speaking-bodies.ts';
import type { AvatarLoops } from './avatar-loops.ts';
import type { LoopTools } from './loop-tools.ts';
import { promptOfReply } from './prompts.ts';

/** After this long a reply takes an ordinary body: its clip would come when nobody waits for it any more. */
const LIMIT_MS = 300_000;

/**
 * Makes a body for one reply and gives its folder; undefined when there is none in time, or it cannot be made. A heavy
 * maker begins when the reply has been spoken and heard and nobody talks, without a further wait, and gives way to talk.
 */
export async function ownBody(
  loops: AvatarLoops,
  { makers, prompts, quiet }: LoopTools,
  clock: Clock,
  reply: ReplyWords,
  onProgress: (done: number) => void,
  signal: AbortSignal,
): Promise<string | undefined> {
  const late = new AbortController();
  const ended = new AbortController();
  const stop = AbortSignal.any([signal, late.signal]);
  try {
    if (makers.at(-1)?.maker.heavy) await Promise.race([whenAborted(reply.spoken), whenAborted(signal)]);
    void clock.wait(LIMIT_MS, AbortSignal.any([signal, ended.signal])).then(() => late.abort());
    await (makers.at(-1)?.maker.heavy ? quiet.whenQuiet(0, stop) : undefined);
    return await loops.makeReplyBody(promptOfReply(prompts.reply, reply.text()), onProgress, stop);
  } catch {
    // The reply is spoken by an ordinary body; the library says what is wrong with the maker.
    return undefined;
  } finally {
    ended.abort();
  }
}
