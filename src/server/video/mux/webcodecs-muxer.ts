import { randomUUID } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import type { EncodedPacket, Output } from 'mediabunny';
import { abortable } from '../../async/abortable.ts';
import { Queue } from '../../async/queue.ts';
import { type ClipFormat, type Picture, VIDEO_FPS, VideoError } from '../contracts.ts';
import type { Codec } from './codec.ts';
import { feedClip } from './feed-clip.ts';
import { decodeVideo } from './webcodecs-decoder.ts';
import { WebcodecsEncoder } from './webcodecs-encoder.ts';
import { type Library, loadLibrary } from './webcodecs-library.ts';

const LIVE_BITRATE = 1_500_000;
const CAREFUL_BITRATE = 4_000_000;
/** As those of ffmpeg: seconds. */
const FRAGMENT = 0.08;

/** Opens the optional in-process encoder; rejects with a `VideoError` that says how to get it. */
export async function createWebcodecsMuxer(signal: AbortSignal): Promise<Codec> {
  const library = await loadLibrary();
  signal.throwIfAborted();
  const encoder = new WebcodecsEncoder(library);
  try {
    const size = 512;
    const take = encoder.video(size, size, LIVE_BITRATE, () => {});
    await take({ width: size, height: size, rgb: new Uint8Array(size * size * 3) });
    await encoder.flush();
  } catch (cause) {
    throw new VideoError('The in-process encoder makes no H.264 here; install ffmpeg.', { cause });
  } finally {
    encoder.close();
  }
  if (!encoder.codec) throw new VideoError('The in-process encoder makes no H.264 here; install ffmpeg.');
  return new WebcodecsMuxer(library, `video/mp4; codecs="${encoder.codec}, mp4a.40.2"`);
}

class WebcodecsMuxer implements Codec {
  readonly name = 'webcodecs';
  readonly mime: string;
  readonly #library: Library;

  constructor(library: Library, mime: string) {
    this.#library = library;
    this.mime = mime;
  }

  async *mux(
    frames: AsyncIterable<Picture>,
    speech: AsyncIterable<Float32Array>,
    { width, height, rate }: ClipFormat,
    file: string,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    if (signal.aborted) return;
    const leaving = new AbortController();
    const stop = AbortSignal.any([signal, leaving.signal]);
    const encoder = new WebcodecsEncoder(this.#library);
    const pieces = new Queue<Uint8Array>();
    const part = `${file}.${randomUUID()}.part`;
    const work = async () => {
      const [streamed, whole] = [this.#output(true, pieces), this.#output(false)];
      const tracks = [new Tracks(this.#library, streamed.output, true), new Tracks(this.#library, whole.output, true)];
      for (const { output } of [streamed, whole]) await output.start();
      const onto = (kind: 'video' | 'sound') => (packet: EncodedPacket, metadata: object | undefined) => {
        for (const track of tracks) track.add(kind, packet, metadata);
      };
      const takePicture = encoder.video(width, height, LIVE_BITRATE, onto('video'));
      const takeSound = encoder.sound(rate, onto('sound'));
      const taken = async (what: Promise<void>) => {
        await what;
        // A reader that is slow slows down what is made for it.
        while (pieces.length > 64 && !stop.aborted) await pause();
        return !stop.aborted;
      };
      const sink = {
        picture: (picture: Picture) => taken(takePicture(picture)),
        sound: (samples: Float32Array) => taken(takeSound(samples)),
        end: () => encoder.flush(),
      };
      await feedClip({ frames, speech, rate }, sink, stop);
      if (stop.aborted) return;
      await Promise.all(tracks.map((track) => track.written));
      await Promise.all([streamed.output.finalize(), whole.output.finalize()]);
      await writeFile(part, whole.bytes(), { flag: 'wx', mode: 0o600 });
      if (stop.aborted) return;
      await rename(part, file);
      if (signal.aborted) await rm(file, { force: true });
    };
    const working = work()
      .finally(() => encoder.close())
      .then(
        () => pieces.end(),
        (error: unknown) => pieces.fail(error),
      );
    try {
      yield* abortable(pieces, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      leaving.abort();
      await working;
      await rm(part, { force: true });
    }
  }

  async encodeVideo(
    ...[frames, { width, height }, file, onFrame, signal]: Parameters<Codec['encodeVideo']>
  ): Promise<void> {
    signal.throwIfAborted();
    const encoder = new WebcodecsEncoder(this.#library);
    const part = `${file}.${randomUUID()}.part`;
    try {
      const whole = this.#output(false);
      const tracks = new Tracks(this.#library, whole.output, false);
      await whole.output.start();
      const take = encoder.video(width, height, CAREFUL_BITRATE, (packet, metadata) =>
        tracks.add('video', packet, metadata),
      );
      let done = 0;
      for await (const picture of abortable(frames, signal)) {
        await take(picture);
        onFrame(++done);
      }
      signal.throwIfAborted();
      if (done === 0) throw new VideoError('There is no frame to make a video of.');
      await encoder.flush();
      await tracks.written;
      await whole.output.finalize();
      await writeFile(part, whole.bytes(), { flag: 'wx', mode: 0o600 });
      signal.throwIfAborted();
      await rename(part, file);
    } finally {
      encoder.close();
      await rm(part, { force: true });
    }
  }

  decodeVideo(...args: Parameters<Codec['decodeVideo']>): AsyncIterable<Picture> {
    return decodeVideo(this.#library, ...args);
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  /** An MP4 in memory, which a clip of some minutes fits into; or one whose pieces go to `pieces` as they are made. */
  #output(fragmented: boolean, pieces?: Queue<Uint8Array>): { output: Output; bytes: () => Uint8Array } {
    const { files } = this.#library;
    if (fragmented) {
      const format = new files.Mp4OutputFormat({ fastStart: 'fragmented', minimumFragmentDuration: FRAGMENT });
      const writable = new WritableStream<Uint8Array>({ write: (bytes) => pieces?.push(bytes.slice()) });
      const target = new files.AppendOnlyStreamTarget(writable);
      return { output: new files.Output({ format, target }), bytes: () => new Uint8Array() };
    }
    const target = new files.BufferTarget();
    const format = new files.Mp4OutputFormat({ fastStart: 'in-memory' });
    return { output: new files.Output({ format, target }), bytes: () => new Uint8Array(target.buffer!) };
  }
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 1));

/** The tracks of one MP4, which take packets in the order in which they come. */
class Tracks {
  written: Promise<void> = Promise.resolve();
  readonly #sources;

  constructor({ files }: Library, output: Output, hasSound: boolean) {
    const video = new files.EncodedVideoPacketSource('avc');
    const sound = new files.EncodedAudioPacketSource('aac');
    this.#sources = { video, sound };
    output.addVideoTrack(video, { frameRate: VIDEO_FPS });
    if (hasSound) output.addAudioTrack(sound);
  }

  add(kind: 'video' | 'sound', packet: EncodedPacket, metadata: object | undefined): void {
    const added = this.#sources[kind].add(packet, metadata);
    this.written = Promise.all([this.written, added]).then(() => {});
    // Whoever waits for the end hears of it.
    this.written.catch(() => {});
  }
}
