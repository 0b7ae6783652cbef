/** Whisper hears this many samples per second. */
export const SPEECH_RATE = 16_000;
/** Whisper takes speech in pieces of this many seconds, and makes one token of each 20 ms of it. */
export const SEGMENT_SECONDS = 30;
export const TOKENS_PER_SECOND = 50;
/** A log-mel of one segment: rows of mel bands, columns of 10 ms. */
export const MEL_BANDS = 80;
export const MEL_COLUMNS = 3_000;
/** Hidden states of whisper that are used for each token: what goes into each of its four layers, and what comes out at last. */
export const STATES = 5;
/** Tokens that one frame of video hears. */
export const FRAME_TOKENS = 10;
/** Width and height of the face that is painted, in pixels, and of its latents. */
export const FACE_SIZE = 256;
export const LATENT_SIZE = 32;
/** Latents of the face without its lower half, and of the whole one. */
export const LATENT_CHANNELS = 8;
/** The frames of a batch: these counts only, since a device settles once per shape. */
export const BATCHES = [1, 4, 8] as const;
export type Batch = (typeof BATCHES)[number];

/** Pictures that DWPose looks at, and how finely it tells places in them. */
export const POSE_WIDTH = 288;
export const POSE_HEIGHT = 384;
export const POSE_POINTS = 133;
/** Places per pixel, along both axes. */
export const POSE_SPLIT = 2;
/** Width and height of pictures that the face parser looks at, and the classes that it tells apart. */
export const PARSE_SIZE = 512;
export const PARSE_CLASSES = 19;

/** Where networks compute. */
export type Device = 'cuda' | 'webgpu' | 'cpu';

/**
 * MuseTalk's networks, wherever they compute. Arrays are row-major. Every call rejects with a `VideoError` when it fails, and
 * with the signal's reason once that aborts; each network is loaded when it is first asked.
 */
export interface MuseTalkNetworks extends AsyncDisposable {
  /** Numbers of one hidden state of whisper: 384. */
  readonly width: number;
  /** Whisper's hidden states of the tokens `from` to `to` - 1 of a log-mel [80, 3000]: [to - from, 5, width]. */
  speech(mel: Float32Array, from: number, to: number, signal: AbortSignal): Promise<Float32Array>;
  /** DWPose's scores of a picture [3, 384, 288]: along x [133, 576], along y [133, 768]. */
  pose(picture: Float32Array, signal: AbortSignal): Promise<{ readonly x: Float32Array; readonly y: Float32Array }>;
  /** The class of each pixel of a picture [3, 512, 512], 0 to 18. */
  parse(picture: Float32Array, signal: AbortSignal): Promise<Uint8Array>;
  /** The latents of a face, RGB bytes [256, 256, 3]: first without its lower half, then whole, [8, 32, 32]. */
  latents(face: Uint8Array, signal: AbortSignal): Promise<Float32Array>;
  /** Painted faces, RGB bytes [n, 256, 256, 3], of whisper's states [n, 50, width] and latents [n, 8, 32, 32]; n is a `Batch`. */
  faces(states: Float32Array, latents: Float32Array, signal: AbortSignal): Promise<Uint8Array>;
}

/** What of a face is painted over: `raw` skin and mouth, `neck` that and the neck, `jaw` mouth, chin and the inner cheeks. */
export type MaskMode = 'raw' | 'neck' | 'jaw';

/** How MuseTalk is set up: plain data, for another process. */
export type MuseTalkSettings = {
  /** What `convert` made of the published weights. */
  readonly folder: string;
  readonly device: 'auto' | Device;
  /** Which card, counted from 0. */
  readonly gpu: number;
  readonly mask: MaskMode;
  /** How far below the chin the painted face reaches, in pixels of the base clip. */
  readonly margin: number;
};
