import { orAborted } from '../../../../async/or-aborted.ts';
import { EngineProcess } from '../../../../workers/engine-process.ts';
import { converted } from '../convert/converted.ts';
import type { MuseTalkNetworks, MuseTalkSettings } from '../networks.ts';
import type { NetworksProcess } from './networks-module.ts';
import { networksWorker } from './own-process.ts';
import { type ResultOf, resultOf, videoErrorOf } from './told.ts';

/**
 * MuseTalk's networks in a process of their own, which starts at the first call, is replaced when it dies, and ends with this
 * one. `say` hears where they compute, what they take and what goes wrong; `up` is whether the process runs. Throws a
 * `VideoError` where the folder holds no networks.
 */
export function startNetworks(
  settings: MuseTalkSettings,
  say: (sentence: string, repeats?: boolean) => void,
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
            say(news.state === 'up' ? 'MuseTalk’s process runs again.' : `MuseTalk’s process ${news.why}.`, true),
        },
        closed.signal,
      );
      return running;
    } catch (cause) {
      // The next call tries again.
      starting = undefined;
      throw videoErrorOf(cause);
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
    const caller = await orAborted(starting, signal);
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
