import { abortable } from '../../async/abortable.ts';
import { type Picture, VIDEO_FPS, VideoError } from '../contracts.ts';

/** What one clip is made of. */
export type ClipInputs = {
  readonly frames: AsyncIterable<Picture>;
  readonly speech: AsyncIterable<Float32Array>;
  readonly rate: number;
};

/** Where frames and sound go; false says that no more is taken. */
export type ClipSink = {
  picture(picture: Picture): Promise<boolean>;
  sound(samples: Float32Array): Promise<boolean>;
  end(): void | Promise<void>;
};

/**
 * Feeds frames and speech, each at its own pace, and brings them to the same length: sound is the measure, and the last frame
 * stays until it is over. Throws a `VideoError` when there is no frame at all.
 */
export async function feedClip({ frames, speech, rate }: ClipInputs, sink: ClipSink, stop: AbortSignal): Promise<void> {
  let last: Picture | undefined;
  let shown = 0;
  let spoken = 0;
  let silent = 0;
  let isOver = false;
  /** What comes after the speech's end: an encoder takes no more pictures while it waits for their sound. */
  const silence = async () => {
    const samples = Math.round((shown * rate) / VIDEO_FPS) - spoken - silent;
    if (samples <= 0) return true;
    silent += samples;
    return sink.sound(new Float32Array(samples));
  };
  const pictures = async () => {
    for await (const picture of abortable(frames, stop)) {
      last = picture;
      shown++;
      if (isOver && !(await silence())) return;
      if (!(await sink.picture(picture))) return;
    }
  };
  const sound = async () => {
    for await (const chunk of abortable(speech, stop)) {
      spoken += chunk.length;
      if (!(await sink.sound(chunk))) return;
    }
    isOver = true;
    if (!stop.aborted) await silence();
  };
  await Promise.all([pictures(), sound()]);
  if (stop.aborted) return;
  if (!last) throw new VideoError('There is no frame to make a clip of.');
  const due = Math.ceil((spoken * VIDEO_FPS) / rate);
  for (; shown < due; shown++) if (!(await sink.picture(last))) return;
  if (await silence()) await sink.end();
}
