import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import type { DebianSettings } from '../../models/debian-packages.ts';
import { type BaseClipFacts, type BaseClipJob, type BaseClipMaker, VIDEO_FPS, VideoError } from '../contracts.ts';
import { type Ffmpeg, findFfmpeg } from '../mux/ffmpeg.ts';
import { chooseEncoder, type Encoder, videoOutput } from '../mux/ffmpeg-encoders.ts';
import { runFfmpeg } from '../mux/ffmpeg-process.ts';
import { decodeVideo, ONE_FILE, squareAt } from '../mux/ffmpeg-video.ts';
import { PREPARED_SECONDS, PREPARED_SIZE } from './prepared.ts';

/** Changes when the same file would give another clip; part of cache keys. */
const USER_VIDEO_VERSION = 1;
const MOST_FRAMES = PREPARED_SECONDS * VIDEO_FPS;
/** Pixels of the pictures in which it is looked whether a clip closes. */
const GLANCE = 64;

/** Which video is taken, and what it is read with. */
export type UserVideoSettings = {
  /** A video of one face; the middle of its first 10 s is used. */
  readonly file: string;
  /** Where ffmpeg is to be had. */
  readonly debian?: DebianSettings;
};

/** The user's own clip, for every loop; one whose end does not lead back to its beginning is played forward and back. */
export function createUserVideo({ file, debian = {} }: UserVideoSettings): BaseClipMaker {
  const stat = file === '' ? undefined : statSync(file, { throwIfNoEntry: false });
  let tools: Promise<Tools> | undefined;
  return {
    version: `video-${USER_VIDEO_VERSION}-${stat?.size ?? 0}-${stat?.mtimeMs ?? 0}-${file}`,
    heavy: false,
    async make(job, onProgress, signal) {
      signal.throwIfAborted();
      if (!statSync(file, { throwIfNoEntry: false })?.isFile()) throw new VideoError(missing(file));
      tools ??= openTools(debian, signal).catch((error: unknown) => {
        tools = undefined;
        throw error;
      });
      return loop(await tools, file, job, onProgress, signal);
    },
    async [Symbol.asyncDispose]() {},
  };
}

type Tools = { readonly ffmpeg: Ffmpeg; readonly encoder: Encoder };

async function openTools(debian: DebianSettings, signal: AbortSignal): Promise<Tools> {
  const ffmpeg = await findFfmpeg(debian, signal);
  const { encoder } = await chooseEncoder(ffmpeg, signal);
  return { ffmpeg, encoder };
}

const missing = (file: string): string =>
  file === ''
    ? 'video.baseClips.file is empty; write the path of your video there, or set video.baseClips.engine to still.'
    : `The video ${file} is not there; correct video.baseClips.file, or set video.baseClips.engine to still.`;

async function loop(
  { ffmpeg, encoder }: Tools,
  file: string,
  job: BaseClipJob,
  onProgress: (done: number) => void,
  signal: AbortSignal,
): Promise<BaseClipFacts> {
  const { frames, closes } = await look(ffmpeg, file, signal);
  onProgress(0.5);
  const part = `${job.file}.${randomUUID()}.part`;
  const input = [...ONE_FILE, '-i', `file:${file}`, '-map', '0:v:0', '-an'];
  const written = ['-movflags', '+faststart', '-f', 'mp4', `file:${part}`];
  const repeated = closes ? `trim=end_frame=${frames}` : forwardAndBack(frames);
  try {
    const output = videoOutput(encoder, 'careful', [squareAt(PREPARED_SIZE), repeated]);
    await runFfmpeg(ffmpeg, [...input, ...output, ...written], signal);
    await rename(part, job.file);
  } finally {
    await rm(part, { force: true });
  }
  onProgress(1);
  return {};
}

/** Half as many frames, and then the same backwards without its two ends, which are there already. */
function forwardAndBack(frames: number): string {
  const half = Math.min(frames, MOST_FRAMES / 2);
  const back = `reverse,trim=start_frame=1:end_frame=${Math.max(2, half - 1)},setpts=PTS-STARTPTS`;
  return `trim=end_frame=${half},split[a][b];[b]${back}[c];[a][c]concat=n=2`;
}

/** How much of it is used, and whether its last frame is about as near to its first as any frame is to the next. */
async function look(ffmpeg: Ffmpeg, file: string, signal: AbortSignal): Promise<{ frames: number; closes: boolean }> {
  let first: Uint8Array | undefined;
  let last: Uint8Array | undefined;
  let frames = 0;
  const steps: number[] = [];
  for await (const { rgb } of decodeVideo(ffmpeg, file, GLANCE, signal)) {
    if (last) steps.push(difference(last, rgb));
    first ??= rgb;
    last = rgb;
    if (++frames === MOST_FRAMES) break;
  }
  signal.throwIfAborted();
  const usual = steps.sort((a, b) => a - b)[Math.floor(steps.length * 0.9)] ?? 0;
  const closes = frames < 3 || difference(first!, last!) <= 2 * usual + 0.5;
  return { frames, closes };
}

/** The mean difference of two pictures' values. */
function difference(a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i]! - b[i]!);
  return sum / a.length;
}
