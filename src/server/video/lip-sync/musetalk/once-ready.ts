import { setTimeout as sleep } from 'node:timers/promises';
import { type BaseClip, type LipSync, type Picture, VideoError } from '../../contracts.ts';
import type { News } from '../../news.ts';

/** What failed at first may be mended meanwhile; what still fails after all of these is left alone. */
const WAITS_MS = [5_000, 30_000, 120_000, 600_000];

/**
 * A lip-sync that takes long to be ready, and `meanwhile` until `warmUp` has ended well, also after a reply in which it failed: no
 * reply waits for it, and one at most is without a mouth. A warm-up that fails is tried again a few times; `say` hears how it goes,
 * and as a warning the sentence that a warm-up gives.
 */
export function onceReady(
  best: LipSync,
  meanwhile: LipSync,
  warmUp: (signal: AbortSignal) => Promise<string | undefined>,
  say: (news: News) => void,
  waitsMs: readonly number[] = WAITS_MS,
): LipSync {
  const closed = new AbortController();
  let ready = false;
  const make = async () => {
    for (const [tries, waitMs] of [...waitsMs, undefined].entries()) {
      try {
        const began = performance.now();
        const warning = await warmUp(closed.signal);
        ready = true;
        const seconds = ((performance.now() - began) / 1_000).toFixed(1);
        const text = `MuseTalk paints the mouths now; it was ready after ${seconds} s.`;
        say({ level: 'info', text, mouths: 'musetalk' });
        if (warning !== undefined) say({ level: 'warn', text: warning });
        return;
      } catch (error) {
        if (closed.signal.aborted) return;
        if (tries === 0) say({ level: 'warn', text: `${sentenceOf(error)} Mouth shapes from the sound (visemes) do.` });
        if (waitMs !== undefined) await sleep(waitMs, undefined, { signal: closed.signal, ref: false });
      }
    }
  };
  let making = make().catch(() => {});
  async function* frames(
    base: BaseClip,
    speech: AsyncIterable<Float32Array>,
    rate: number,
    signal: AbortSignal,
  ): AsyncGenerator<Picture, void, undefined> {
    if (!ready) return yield* meanwhile.frames(base, speech, rate, signal);
    try {
      yield* best.frames(base, speech, rate, signal);
    } catch (error) {
      if (ready && !signal.aborted && !closed.signal.aborted) {
        ready = false;
        const text = 'MuseTalk failed in a reply; mouth shapes from the sound (visemes) do until it is ready again.';
        say({ level: 'info', text, repeats: true, mouths: 'visemes' });
        making = make().catch(() => {});
      }
      throw error;
    }
  }
  return {
    ...(best.prepare && { prepare: best.prepare.bind(best) }),
    frames,
    async [Symbol.asyncDispose]() {
      closed.abort();
      await best[Symbol.asyncDispose]();
      await meanwhile[Symbol.asyncDispose]();
      await making;
    },
  };
}

function sentenceOf(error: unknown): string {
  const { message } = error as Error;
  return error instanceof VideoError ? message : `MuseTalk could not be made ready: ${message}`;
}
