import { randomUUID } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { abortable } from '../../async/abortable.ts';
import { type Picture, VIDEO_FPS, VideoError } from '../contracts.ts';
import type { Codec } from './codec.ts';
import { type Encoder, videoInput, videoOutput } from './ffmpeg-encoders.ts';
import { FfmpegProcess, type FfmpegProgram, FIRST_INPUT } from './ffmpeg-process.ts';

/**
 * A video may come from anywhere, and hold anything: it is read from its own file alone, not as one of the kinds that name other
 * files or addresses (playlists, lists of parts, numbered pictures), and no picture larger than 8192 × 4320 is made room for.
 */
export const ONE_FILE = [
  ...['-protocol_whitelist', 'file,pipe'],
  ...['-format_whitelist', 'mov,matroska,avi,mpegts,mpeg,ogg,flv,asf,gif,png_pipe,wav'],
  ...['-max_pixels', String(8192 * 4320)],
];

/** The filters that bring a video to `VIDEO_FPS` and cut its middle to a square of `size` pixels. */
export const squareAt = (size: number): string =>
  [
    `fps=${VIDEO_FPS}`,
    `scale=${size}:${size}:force_original_aspect_ratio=increase:flags=bicubic+accurate_rnd+full_chroma_int`,
    `crop=${size}:${size}`,
    'format=rgb24',
  ].join(',');

/** `Codec.encodeVideo` by ffmpeg. */
export async function encodeVideo(
  program: FfmpegProgram,
  encoder: Encoder,
  ...[frames, { width, height }, file, onFrame, signal]: Parameters<Codec['encodeVideo']>
): Promise<void> {
  signal.throwIfAborted();
  const part = `${file}.${randomUUID()}.part`;
  const output = ['-an', '-movflags', '+faststart', '-f', 'mp4', `file:${part}`];
  const ffmpeg = new FfmpegProcess(
    program,
    [...videoInput(width, height, FIRST_INPUT), ...videoOutput(encoder, 'careful'), ...output],
    1,
  );
  const onAbort = () => void ffmpeg.kill();
  signal.addEventListener('abort', onAbort, { once: true });
  ffmpeg.output.resume();
  try {
    let done = 0;
    for await (const picture of abortable(frames, signal)) {
      if (!(await ffmpeg.write(0, picture.rgb))) break;
      onFrame(++done);
    }
    signal.throwIfAborted();
    ffmpeg.end(0);
    const code = await ffmpeg.ended;
    signal.throwIfAborted();
    if (done === 0) throw new VideoError('There is no frame to make a video of.');
    if (code !== 0) {
      throw new VideoError(`The video's encoder failed: ${ffmpeg.why(code)}`);
    }
    await rename(part, file);
  } finally {
    signal.removeEventListener('abort', onAbort);
    await ffmpeg.kill();
    await rm(part, { force: true });
  }
}

/** `Codec.decodeVideo` by ffmpeg. */
export async function* decodeVideo(
  program: FfmpegProgram,
  ...[file, size, signal]: Parameters<Codec['decodeVideo']>
): AsyncGenerator<Picture, void, undefined> {
  if (signal.aborted) return;
  const output = ['-map', '0:v:0?', '-an', '-vf', squareAt(size), '-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1'];
  const ffmpeg = new FfmpegProcess(program, [...ONE_FILE, '-i', `file:${file}`, ...output]);
  const onAbort = () => void ffmpeg.kill();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    let frames = 0;
    for await (const rgb of inPieces(ffmpeg.output, size * size * 3)) {
      if (signal.aborted) return;
      frames++;
      yield { width: size, height: size, rgb };
    }
    const code = await ffmpeg.ended;
    if (signal.aborted) return;
    if (/does not contain any stream/.test(ffmpeg.complaint) || (code === 0 && frames === 0)) {
      throw new VideoError(`${file} shows nothing: it has no pictures; choose a video.`);
    }
    if (code !== 0) {
      throw new VideoError(`${file} cannot be read as a video (${ffmpeg.complaint || code}); choose another one.`);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
    await ffmpeg.kill();
  }
}

/** Whole pieces of `length` bytes, each in memory of its own; a rest is dropped. */
async function* inPieces(bytes: AsyncIterable<Uint8Array>, length: number): AsyncGenerator<Uint8Array> {
  let piece = new Uint8Array(length);
  let filled = 0;
  for await (const chunk of bytes) {
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + length - filled);
      piece.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < length) continue;
      yield piece;
      piece = new Uint8Array(length);
      filled = 0;
    }
  }
}
