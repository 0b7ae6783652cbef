import { setTimeout as sleep } from 'node:timers/promises';
import type { EncodedPacket } from 'mediabunny';
import { type Picture, VIDEO_FPS } from '../contracts.ts';
import type { Chunk, Coder, Library, Metadata } from './webcodecs-library.ts';
import { toI420 } from './yuv.ts';

/** What an encoder gives, in order. */
export type OnPacket = (packet: EncodedPacket, metadata: object | undefined) => void;

const FRAME_US = 1_000_000 / VIDEO_FPS;
const KEY_EVERY = Math.floor(VIDEO_FPS / 2);
const COLOURS = { primaries: 'bt709', transfer: 'bt709', matrix: 'bt709', fullRange: false };
/** Samples that AAC puts before the first one. */
const PRIMING = 1_024;
const MOST_WAITING = 4;

/** H.264 as the description of its stream names it: profile, constraints and level. */
const codecOf = (description: Uint8Array): string =>
  `avc1.${Buffer.from(description.subarray(1, 4)).toString('hex').toUpperCase()}`;

/** Encodes frames of one size to H.264, and sound to AAC, in this process. */
export class WebcodecsEncoder {
  readonly #library: Library;
  readonly #open: Coder<{ close(): void }>[] = [];
  #failed: Error | undefined;
  /** Of the video, once its first packet is there. */
  codec: string | undefined;

  constructor(library: Library) {
    this.#library = library;
  }

  /** Takes frames; the function resolves when the next one can be given. */
  video(width: number, height: number, bitrate: number, onPacket: OnPacket): (picture: Picture) => Promise<void> {
    const { VideoFrame, VideoEncoder } = this.#library.codecs;
    let count = 0;
    const encoder = this.#opened(VideoEncoder, (chunk, metadata) => {
      const description = metadata?.decoderConfig?.description;
      if (description) this.codec ??= codecOf(description);
      const config = description && { ...metadata.decoderConfig, codec: this.codec };
      onPacket(this.#packet(chunk, chunk.timestamp / 1e6, 1 / VIDEO_FPS), config && { decoderConfig: config });
    });
    encoder.configure({
      ...{ codec: 'avc1.42C01F', width, height, framerate: VIDEO_FPS, bitrate },
      ...{ latencyMode: 'realtime', avc: { format: 'avc' } },
    });
    return async (picture) => {
      const planes = { format: 'I420', codedWidth: width, codedHeight: height, colorSpace: COLOURS };
      const frame = new VideoFrame(toI420(picture), { ...planes, timestamp: count * FRAME_US, duration: FRAME_US });
      encoder.encode(frame, { keyFrame: count++ % KEY_EVERY === 0 });
      frame.close();
      await this.#room(encoder);
    };
  }

  /** Takes sound of `rate` samples per second, mono. */
  sound(rate: number, onPacket: OnPacket): (samples: Float32Array) => Promise<void> {
    const { AudioData, AudioEncoder } = this.#library.codecs;
    let packets = 0;
    let samples = 0;
    const encoder = this.#opened(AudioEncoder, (chunk, metadata) => {
      // Its own times count what AAC puts in front as sound.
      const at = (packets++ * PRIMING - PRIMING) / rate;
      onPacket(this.#packet(chunk, at, PRIMING / rate), metadata?.decoderConfig && metadata);
    });
    encoder.configure({ codec: 'mp4a.40.2', sampleRate: rate, numberOfChannels: 1, bitrate: 96_000 });
    return async (data) => {
      if (data.length === 0) return;
      const form = { format: 'f32-planar', sampleRate: rate, numberOfChannels: 1, numberOfFrames: data.length };
      const timestamp = Math.round((samples / rate) * 1e6);
      samples += data.length;
      const sound = new AudioData({ ...form, timestamp, data: Float32Array.from(data) });
      encoder.encode(sound);
      sound.close();
      await this.#room(encoder);
    };
  }

  /** Resolves when all that was given has come out. */
  async flush(): Promise<void> {
    await Promise.all(this.#open.map((encoder) => encoder.flush()));
    if (this.#failed) throw this.#failed;
  }

  close(): void {
    for (const encoder of this.#open) if (encoder.state !== 'closed') encoder.close();
  }

  #opened(
    Encoder: Library['codecs']['VideoEncoder'],
    output: (chunk: Chunk, metadata?: Metadata) => void,
  ): Coder<{ close(): void }> {
    const encoder = new Encoder({ output, error: (error) => (this.#failed ??= error) });
    this.#open.push(encoder);
    return encoder;
  }

  async #room(encoder: Coder<{ close(): void }>): Promise<void> {
    do {
      if (this.#failed) throw this.#failed;
      await sleep(encoder.encodeQueueSize > MOST_WAITING ? 1 : 0);
    } while (encoder.state === 'configured' && encoder.encodeQueueSize > MOST_WAITING);
  }

  #packet(chunk: Chunk, seconds: number, duration: number): EncodedPacket {
    const bytes = new Uint8Array(chunk.byteLength);
    chunk.copyTo(bytes);
    return new this.#library.files.EncodedPacket(bytes, chunk.type, seconds, duration);
  }
}
