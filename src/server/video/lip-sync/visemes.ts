import { Resampler } from '../../../protocol/resampler.ts';
import { abortable } from '../../async/abortable.ts';
import { type BaseClip, type LipSync, type MouthShape, type Picture, VIDEO_FPS } from '../contracts.ts';
import { moveMouth } from './mouth.ts';
import { FEATURE_RATE } from './visemes/features.ts';
import { MouthTrack } from './visemes/mouth-track.ts';

/** Sound is taken in steps of this part of a second, so that shapes come, and an abort is heard, in between. */
const STEPS_PER_SECOND = 10;

/** Lip-sync on the CPU: the mouth of the base clip is moved by the sounds that are heard in the speech. */
export function createVisemes(): LipSync {
  return {
    frames: spokenFrames,
    async [Symbol.asyncDispose]() {},
  };
}

async function* spokenFrames(
  base: BaseClip,
  speech: AsyncIterable<Float32Array>,
  rate: number,
  signal: AbortSignal,
): AsyncGenerator<Picture, void, undefined> {
  let frame = 0;
  for await (const shape of mouthShapes(speech, rate, signal)) {
    const index = frame++ % base.frames;
    const picture = await base.picture(index);
    if (signal.aborted) return;
    moveMouth(picture, base.face(index), shape);
    yield picture;
  }
}

/**
 * How a mouth stands in each frame (`VIDEO_FPS`) of `speech` (mono, -1 to 1, `rate` samples per second, chunks of any length),
 * as soon as 120 ms of sound after the frame's begin are there; as many as `LipSync.frames` gives. The same sound gives the same
 * shapes, however it is cut. Ends early, without an error, when `signal` aborts.
 */
export async function* mouthShapes(
  speech: AsyncIterable<Float32Array>,
  rate: number,
  signal: AbortSignal,
): AsyncGenerator<MouthShape, void, undefined> {
  const resampler = new Resampler(rate, FEATURE_RATE);
  const track = new MouthTrack();
  const step = Math.ceil(rate / STEPS_PER_SECOND);
  let samples = 0;
  let given = 0;
  for await (const chunk of abortable(speech, signal)) {
    for (let at = 0; at < chunk.length && !signal.aborted; at += step) {
      resampler.write(chunk.subarray(at, at + step));
      for (const shape of track.write(readAll(resampler))) {
        if (signal.aborted) return;
        yield shape;
        given++;
      }
    }
    samples += chunk.length;
  }
  if (signal.aborted) return;
  const count = Math.ceil((samples * VIDEO_FPS) / rate);
  resampler.end();
  for (const shape of track.write(readAll(resampler))) {
    if (signal.aborted || given === count) return;
    yield shape;
    given++;
  }
  for (; given < count && !signal.aborted; given++) yield track.next();
}

function readAll(resampler: Resampler): Float32Array {
  const out = new Float32Array(resampler.available());
  resampler.read(out);
  return out;
}
