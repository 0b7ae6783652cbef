import { EngineError } from '../engines/contracts.ts';
import type { Caller } from '../workers/remote-engines.ts';
import {
  type BaseClipFacts,
  type BaseClipJob,
  type Crop,
  type ImportedPicture,
  type SpeakJob,
  VideoError,
  type VideoWorker,
} from './contracts.ts';
import { systemProblem } from './system-problem.ts';

/** The video tier's computing parts, run by another process: `video-worker.ts` is the module it loads. */
export const remoteVideoWorker = (caller: Caller): VideoWorker => ({
  get encoder() {
    return String(caller.facts.encoder);
  },
  get mime() {
    return String(caller.facts.mime);
  },
  speak: (job: SpeakJob, speech: AsyncIterable<Float32Array>, signal: AbortSignal) =>
    called<Uint8Array>(caller, 'speak', [job], speech, signal),
  still: (job: BaseClipJob, signal: AbortSignal) =>
    called<number | BaseClipFacts>(caller, 'still', [job], undefined, signal),
  prepare: (file: string, folder: string, facts: BaseClipFacts, signal: AbortSignal) =>
    called<number>(caller, 'prepare', [file, folder, facts], undefined, signal),
  makeReady: (folder: string, signal: AbortSignal) => called<number>(caller, 'makeReady', [folder], undefined, signal),
  importPicture: (bytes: Uint8Array, crop: Crop | undefined, signal: AbortSignal) =>
    called<ImportedPicture>(caller, 'importPicture', [bytes, crop], undefined, signal),
});

async function* called<T>(
  caller: Caller,
  method: keyof VideoWorker,
  args: unknown[],
  input: AsyncIterable<unknown> | undefined,
  signal: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  try {
    yield* caller.call(method, args, input, signal) as AsyncIterable<T>;
  } catch (cause) {
    throw cause instanceof EngineError ? new VideoError(systemProblem(cause.message), { cause }) : cause;
  }
}

/** A small real call for `EngineProcess`'s canary: a clip of one frame, with sound of `rate` samples per second. */
export async function tryVideoWorker(caller: Caller, rate: number, signal: AbortSignal): Promise<void> {
  let bytes = 0;
  for await (const made of caller.call('tryOut', [rate], undefined, signal)) bytes += Number(made);
  if (bytes === 0 && !signal.aborted) throw new VideoError('The video tier’s process made an empty clip.');
}
