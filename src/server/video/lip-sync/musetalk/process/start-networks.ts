import { EngineError } from '../../../../engines/contracts.ts';
import { EngineProcess } from '../../../../workers/engine-process.ts';
import type { WorkerSpec } from '../../../../workers/worker.ts';
import { VideoError } from '../../../contracts.ts';
import { converted } from '../convert/converted.ts';
import type { MuseTalkNetworks, MuseTalkSettings } from '../networks.ts';
import type { NetworksProcess } from './networks-module.ts';
import { type ResultOf, resultOf } from './told.ts';

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

/**
 * MuseTalk's networks in a process of their own, which starts at the first call, is replaced when it dies, and ends with this
 * one. `say` hears where they compute, what they take and what goes wrong; `up` is whether the process runs. Throws a
 * `VideoError` where the folder holds no networks.
 */
export function startNetworks(
  settings: MuseTalkSettings,
  say: (sentence: string) => void,
): MuseTalkNetworks & { readonly up: boolean } {
  const { width } = converted(settings.folder);
  const closed = new AbortController();
  let starting: Promise<EngineProcess> | undefined;
  let running: EngineProcess | undefined;

  async function start(): Promise<EngineProcess> {
    try {
      running = await EngineProcess.start(
        {
          ...networksWorker(settings),
          canary: async (worker, signal) => void (await resultOf(worker, 'ping', [], say, signal)),
          onNews: (news) =>
            say(news.state === 'up' ? 'MuseTalk’s process runs again.' : `MuseTalk’s process ${news.why}.`),
        },
        closed.signal,
      );
      return running;
    } catch (cause) {
      // The next call tries again.
      starting = undefined;
      throw cause instanceof EngineError ? new VideoError(cause.message, { cause }) : cause;
    }
  }

  async function call<Method extends keyof NetworksProcess>(
    method: Method,
    args: readonly unknown[],
    signal: AbortSignal,
  ): Promise<ResultOf<Method>> {
    signal.throwIfAborted();
    closed.signal.throwIfAborted();
    starting ??= start();
    const caller = await unlessAborted(starting, signal);
    return resultOf(caller, method, args, say, signal);
  }

  return {
    width,
    get up() {
      return running?.up ?? false;
    },
    speech: (mel, from, to, signal) => call('speech', [mel, from, to], signal),
    pose: (picture, signal) => call('pose', [picture], signal),
    parse: (picture, signal) => call('parse', [picture], signal),
    latents: (face, signal) => call('latents', [face], signal),
    faces: (states, latents, signal) => call('faces', [states, latents, width], signal),
    [Symbol.asyncDispose]: async () => {
      closed.abort();
      const begun = await starting?.catch(() => undefined);
      await begun?.[Symbol.asyncDispose]();
    },
  };
}

/** What `promise` gives, unless the signal aborts first; `promise` goes on for others. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const leaving = new AbortController();
  try {
    return await Promise.race([
      promise,
      new Promise<never>((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { once: true, signal: leaving.signal });
      }),
    ]);
  } finally {
    leaving.abort();
  }
}
