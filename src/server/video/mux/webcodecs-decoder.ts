import { type Picture, VIDEO_FPS, VideoError } from '../contracts.ts';
import { cutSquare } from '../pictures/cut-square.ts';
import type { Codec } from './codec.ts';
import type { Frame, Library } from './webcodecs-library.ts';
import { fromI420 } from './yuv.ts';

const MOST_WAITING = 8;

/** `Codec.decodeVideo` in this process. */
export async function* decodeVideo(
  library: Library,
  ...[file, size, signal]: Parameters<Codec['decodeVideo']>
): AsyncGenerator<Picture, void, undefined> {
  if (signal.aborted) return;
  let shown: Picture | undefined;
  let start: number | undefined;
  let end = 0;
  let given = 0;
  try {
    for await (const frame of decoded(library, file, signal)) {
      start ??= frame.timestamp;
      const at = (frame.timestamp - start) / 1e6;
      end = at + (frame.duration ?? 0) / 1e6;
      // Of two frames the nearer in time is shown.
      for (; shown && (given + 0.5) / VIDEO_FPS <= at; given++) yield copyOf(shown);
      shown = squared(await pictureOf(frame), size);
      if (signal.aborted) return;
    }
  } catch (cause) {
    if (signal.aborted) return;
    throw new VideoError(`${file} cannot be read as a video (${(cause as Error).message}); choose another one.`, {
      cause,
    });
  }
  if (!shown) throw new VideoError(`${file} shows nothing: it has no pictures; choose a video.`);
  do {
    if (signal.aborted) return;
    yield copyOf(shown);
  } while ((++given + 0.5) / VIDEO_FPS <= end);
}

const copyOf = ({ width, height, rgb }: Picture): Picture => ({ width, height, rgb: rgb.slice() });

function squared(picture: Picture, size: number): Picture {
  const { width, height } = picture;
  if (width === size && height === size) return picture;
  const side = Math.min(width, height);
  return cutSquare(picture, (width - side) / 2, (height - side) / 2, side, size);
}

async function pictureOf(frame: Frame): Promise<Picture> {
  try {
    if (frame.format !== 'I420') throw new Error(`its pixels are ${frame.format}, not I420`);
    const bytes = new Uint8Array(frame.allocationSize());
    const planes = await frame.copyTo(bytes);
    const { codedWidth, codedHeight, colorSpace } = frame;
    return fromI420(bytes, planes, codedWidth, codedHeight, colorSpace.matrix === 'bt709' ? 'bt709' : 'bt601');
  } finally {
    frame.close();
  }
}

async function* decoded({ codecs, files }: Library, file: string, signal: AbortSignal): AsyncGenerator<Frame> {
  const input = new files.Input({ formats: files.ALL_FORMATS, source: new files.FilePathSource(file) });
  const frames: Frame[] = [];
  let failed: Error | undefined;
  const decoder = new codecs.VideoDecoder({
    output: (frame) => void frames.push(frame),
    error: (error) => {
      failed ??= error;
    },
  });
  try {
    const track = await input.getPrimaryVideoTrack();
    const config = await track?.getDecoderConfig();
    if (!track || !config) return;
    decoder.configure(config);
    for await (const { type, timestamp, duration, data } of new files.EncodedPacketSink(track).packets()) {
      const times = { timestamp: Math.round(timestamp * 1e6), duration: Math.round(duration * 1e6) };
      decoder.decode(new codecs.EncodedVideoChunk({ type, ...times, data }));
      do {
        if (failed) throw failed;
        if (signal.aborted) return;
        await new Promise((resolve) => setTimeout(resolve, 0));
      } while (decoder.decodeQueueSize > MOST_WAITING);
      while (frames.length > 0) yield frames.shift()!;
    }
    await decoder.flush();
    if (failed) throw failed;
    while (frames.length > 0) yield frames.shift()!;
  } finally {
    for (const frame of frames) frame.close();
    if (decoder.state !== 'closed') decoder.close();
    input.dispose();
  }
}
