import type { DebianSettings } from '../../models/debian-packages.ts';
import type { ClipFormat, Picture } from '../contracts.ts';
import type { Codec } from './codec.ts';
import { findFfmpeg } from './ffmpeg.ts';
import { ffmpegClip } from './ffmpeg-clip.ts';
import { chooseEncoder, type Encoder, soundInput, videoInput, videoOutput } from './ffmpeg-encoders.ts';
import { FfmpegProcess, type FfmpegProgram, FIRST_INPUT } from './ffmpeg-process.ts';
import { decodeVideo, encodeVideo } from './ffmpeg-video.ts';

/** Finds ffmpeg and an encoder in it that works here; throws a `VideoError` that names the fix. */
export async function createFfmpegMuxer(debian: DebianSettings, signal: AbortSignal): Promise<Codec> {
  const ffmpeg = await findFfmpeg(debian, signal);
  const { encoder, codec } = await chooseEncoder(ffmpeg, signal);
  const name = `ffmpeg ${ffmpeg.version} (${encoder.name})`;
  return new FfmpegMuxer(ffmpeg, encoder, name, `video/mp4; codecs="${codec}, mp4a.40.2"`);
}

/** A fragment every 80 ms: the first pictures come early, and boxes are still little beside what they hold. */
const FRAGMENTS = ['-movflags', '+frag_keyframe+delay_moov+default_base_moof', '-frag_duration', '80000'];

class FfmpegMuxer implements Codec {
  readonly name: string;
  readonly mime: string;
  readonly #program: FfmpegProgram;
  readonly #encoder: Encoder;
  /** Starting takes longer than the first frames do, so that the next clip's process waits for it already. */
  #spare: { readonly key: string; readonly ffmpeg: FfmpegProcess } | undefined;
  #disposed = false;

  constructor(program: FfmpegProgram, encoder: Encoder, name: string, mime: string) {
    this.#program = program;
    this.#encoder = encoder;
    this.name = name;
    this.mime = mime;
  }

  async *mux(
    frames: AsyncIterable<Picture>,
    speech: AsyncIterable<Float32Array>,
    format: ClipFormat,
    file: string,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    if (signal.aborted) return;
    const ffmpeg = await this.#take(format);
    try {
      yield* ffmpegClip(this.#program, ffmpeg, { frames, speech, rate: format.rate }, file, signal);
    } finally {
      if (!this.#disposed) this.#spare ??= { key: keyOf(format), ffmpeg: this.#start(format) };
    }
  }

  encodeVideo(...args: Parameters<Codec['encodeVideo']>): Promise<void> {
    return encodeVideo(this.#program, this.#encoder, ...args);
  }

  decodeVideo(...args: Parameters<Codec['decodeVideo']>): AsyncIterable<Picture> {
    return decodeVideo(this.#program, ...args);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    const spare = this.#spare;
    this.#spare = undefined;
    await spare?.ffmpeg.kill();
  }

  async #take(format: ClipFormat): Promise<FfmpegProcess> {
    const spare = this.#spare;
    this.#spare = undefined;
    if (spare?.key === keyOf(format) && spare.ffmpeg.running) return spare.ffmpeg;
    await spare?.ffmpeg.kill();
    return this.#start(format);
  }

  #start({ width, height, rate }: ClipFormat): FfmpegProcess {
    const inputs = [...videoInput(width, height, FIRST_INPUT), ...soundInput(rate, FIRST_INPUT + 1)];
    const sound = ['-c:a', 'aac', '-b:a', '96k', '-ar', '48000'];
    const output = [...FRAGMENTS, '-flush_packets', '1', '-f', 'mp4', 'pipe:1'];
    const maps = ['-map', '0:v', '-map', '1:a'];
    const args = [...inputs, ...maps, ...videoOutput(this.#encoder, 'live'), ...sound, ...output];
    return new FfmpegProcess(this.#program, args, 2);
  }
}

const keyOf = ({ width, height, rate }: ClipFormat): string => `${width}x${height} ${rate}`;
