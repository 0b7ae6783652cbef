import { EngineError } from '../../../../engines/contracts.ts';
import type { Caller } from '../../../../workers/remote-engines.ts';
import { VideoError } from '../../../contracts.ts';
import type { NetworksProcess, Told } from './networks-module.ts';

/** What a failed process rejects with, as a `VideoError`; anything else as it is. */
export const videoErrorOf = (cause: unknown): unknown =>
  cause instanceof EngineError ? new VideoError(cause.message, { cause }) : cause;

/** What a method of the process gives at its end. */
export type ResultOf<Method extends keyof NetworksProcess> =
  ReturnType<NetworksProcess[Method]> extends AsyncGenerator<Told<infer T>, void, undefined> ? T : never;

/**
 * Calls a method of MuseTalk's process and lets `say` hear its sentences. Rejects with a `VideoError` when it fails, and with
 * the signal's reason once that aborts.
 */
export async function resultOf<Method extends keyof NetworksProcess>(
  caller: Caller,
  method: Method,
  args: readonly unknown[],
  say: (sentence: string) => void,
  signal: AbortSignal,
): Promise<ResultOf<Method>> {
  let result: { readonly value: ResultOf<Method> } | undefined;
  try {
    const telling = caller.call(method, [...args], undefined, signal) as AsyncIterable<Told<ResultOf<Method>>>;
    for await (const told of telling) {
      if ('said' in told) say(told.said);
      else if ('result' in told) result = { value: told.result };
    }
  } catch (cause) {
    signal.throwIfAborted();
    throw videoErrorOf(cause);
  }
  signal.throwIfAborted();
  if (!result) throw new VideoError('MuseTalk’s process gave nothing; look at the log for why, and try again.');
  return result.value;
}
