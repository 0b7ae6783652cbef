import { createRequire } from 'node:module';
import type * as Mediabunny from 'mediabunny';
import { VideoError } from '../contracts.ts';
import type { Plane } from './yuv.ts';

/** An encoded piece as the library gives it; times in microseconds. */
export type Chunk = {
  readonly type: 'key' | 'delta';
  readonly timestamp: number;
  readonly byteLength: number;
  copyTo(to: Uint8Array): void;
};
export type Metadata = { readonly decoderConfig?: { readonly description?: Uint8Array } };
type Callbacks<T> = { output: (item: T, metadata?: Metadata) => void; error: (error: Error) => void };
type Closable = { close(): void };

/** A decoded picture. */
export type Frame = Closable & {
  readonly format: string | null;
  readonly timestamp: number;
  readonly duration: number | null;
  readonly codedWidth: number;
  readonly codedHeight: number;
  readonly colorSpace: { readonly matrix: string | null };
  allocationSize(): number;
  copyTo(to: Uint8Array): Promise<readonly Plane[]>;
};

/** An encoder or a decoder. */
export type Coder<T> = Closable & {
  readonly state: string;
  readonly encodeQueueSize: number;
  readonly decodeQueueSize: number;
  configure(config: object): void;
  encode(item: T, options?: object): void;
  decode(item: T): void;
  flush(): Promise<void>;
};

/** What is used of @napi-rs/webcodecs, which has no types here because it is not installed by default. */
export type WebCodecs = {
  VideoEncoder: new (callbacks: Callbacks<Chunk>) => Coder<Closable>;
  VideoDecoder: new (callbacks: Callbacks<Frame>) => Coder<object>;
  AudioEncoder: new (callbacks: Callbacks<Chunk>) => Coder<Closable>;
  VideoFrame: new (data: Uint8Array, init: object) => Closable;
  AudioData: new (init: object) => Closable;
  EncodedVideoChunk: new (init: object) => object;
};

/** The two optional packages of the in-process encoder. */
export type Library = { readonly codecs: WebCodecs; readonly files: typeof Mediabunny };

/** Whether somebody installed them, without loading any of it. */
export function isLibraryInstalled(): boolean {
  try {
    createRequire(import.meta.url).resolve('@napi-rs/webcodecs');
    return true;
  } catch {
    return false;
  }
}

/** Loads them; rejects with a `VideoError` that says how to get them. */
export async function loadLibrary(): Promise<Library> {
  // Named by a variable, or the type checker would ask for a package that only few have.
  const name: string = '@napi-rs/webcodecs';
  try {
    const loaded = (await import(name)) as WebCodecs & { default?: WebCodecs };
    return { codecs: loaded.default ?? loaded, files: await import('mediabunny') };
  } catch (cause) {
    throw new VideoError(
      'The in-process encoder is not installed; get it with: npm install @napi-rs/webcodecs mediabunny, or install ffmpeg.',
      { cause },
    );
  }
}
