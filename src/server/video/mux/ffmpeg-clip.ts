import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { writePcm16 } from '../../../protocol/pcm.ts';
import { VideoError } from '../contracts.ts';
import { type ClipInputs, type ClipSink, feedClip } from './feed-clip.ts';
import { type FfmpegProcess, type FfmpegProgram, runFfmpeg } from './ffmpeg-process.ts';

/**
 * Runs one clip through an ffmpeg that was started for it: gives its bytes as they come, and then writes `file`, the same
 * with its index in front. Whatever happens, no process and no half file stays behind, even if nobody reads on.
 */
export async function* ffmpegClip(
  program: FfmpegProgram,
  ffmpeg: FfmpegProcess,
  inputs: ClipInputs,
  file: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const leaving = new AbortController();
  const stop = AbortSignal.any([signal, leaving.signal]);
  const streamed = `${file}.${randomUUID()}.stream`;
  const whole = `${file}.${randomUUID()}.part`;
  const copy = open(streamed, 'wx', 0o600);
  let cleaned: Promise<void> | undefined;
  const clean = () => {
    cleaned ??= (async () => {
      await ffmpeg.kill();
      await copy.then((file) => file.close()).catch(() => {});
      await rm(streamed, { force: true });
    })();
    return cleaned;
  };
  const onAbort = () => void clean();
  signal.addEventListener('abort', onAbort, { once: true });
  let broken: { error: unknown } | undefined;
  try {
    if (signal.aborted) return;
    const kept = await copy;
    void feedClip(inputs, sinkOf(ffmpeg), stop).catch(async (error: unknown) => {
      broken = { error };
      // So that the reading below ends.
      await ffmpeg.kill();
    });
    let length = 0;
    for await (const bytes of outputOf(ffmpeg)) {
      if (signal.aborted) return;
      length += bytes.length;
      await writeAll(kept, bytes);
      yield bytes;
    }
    const code = await ffmpeg.ended;
    if (signal.aborted) return;
    if (broken) throw broken.error;
    if (code !== 0 || length === 0) {
      throw new VideoError(`The clip's encoder failed: ${ffmpeg.why(code)}`);
    }
    const remux = [
      '-copyts',
      '-i',
      `file:${streamed}`,
      '-map',
      '0',
      '-c',
      'copy',
      '-movflags',
      '+faststart',
      '-f',
      'mp4',
    ];
    await runFfmpeg(program, [...remux, `file:${whole}`], signal);
    await rename(whole, file);
    if (signal.aborted) await rm(file, { force: true });
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
    leaving.abort();
    await clean();
    await rm(whole, { force: true });
  }
}

/** A process that was killed tears its output down, which is no error of the reader. */
async function* outputOf(ffmpeg: FfmpegProcess): AsyncGenerator<Buffer, void, undefined> {
  try {
    yield* ffmpeg.output as AsyncIterable<Buffer>;
  } catch {
    // Its exit status says what became of it.
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten;
}

const sinkOf = (ffmpeg: FfmpegProcess): ClipSink => ({
  picture: ({ rgb }) => ffmpeg.write(0, rgb),
  // ffmpeg takes no sound before it has seen a picture, and how much a pipe holds until then is the system's affair.
  async sound(samples) {
    void ffmpeg.write(1, pcm16(samples));
    return ffmpeg.running;
  },
  end() {
    ffmpeg.end(0);
    ffmpeg.end(1);
  },
});

function pcm16(samples: Float32Array): Uint8Array {
  const bytes = new Uint8Array(samples.length * 2);
  writePcm16(samples, new DataView(bytes.buffer), 0);
  return bytes;
}
