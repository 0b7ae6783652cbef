import type { LoopName } from '../../protocol/messages.ts';

/** Frames per second of every base clip, mouth and clip; what a maker gives at another rate is brought to it. */
export const VIDEO_FPS = 25;

/** An RGB picture: 3 bytes per pixel, rows from the top, without padding. */
export type Picture = { readonly width: number; readonly height: number; readonly rgb: Uint8Array };

/** A place in a picture, in pixels from its left and top edge. */
export type Point = { readonly x: number; readonly y: number };

/** A rectangle in a picture, in pixels. */
export type Box = { readonly x: number; readonly y: number; readonly width: number; readonly height: number };

/**
 * Where the parts of one face are. Every contour begins at the corner that is leftmost in the picture and goes on over
 * its upper edge to the right corner, then back along its lower edge.
 */
export type Face = {
  readonly box: Box;
  readonly outerLips: readonly Point[];
  /** The edge of the mouth's opening; upper and lower edge coincide when the mouth is closed. */
  readonly innerLips: readonly Point[];
  readonly leftEye: readonly Point[];
  readonly rightEye: readonly Point[];
  /** From the left side of the face over the chin to its right side, in the picture. */
  readonly jaw: readonly Point[];
};

/** The base clips of an avatar. Each begins and ends with its picture, so that any can follow any. */
export const LOOPS: readonly LoopName[] = ['idle', 'listening', 'thinking', 'speaking-1', 'speaking-2'];

/** One base clip to be made. */
export type BaseClipJob = {
  /** Which loop it is, or `reply` for one made for a single reply. */
  readonly loop: LoopName | 'reply';
  /** The avatar's square picture (a PNG file) and where its face is. */
  readonly pictureFile: string;
  readonly face: Face;
  /** What should be seen, in words. */
  readonly prompt: string;
  readonly negativePrompt: string;
  readonly seconds: number;
  /** The file that is to be written: an MP4 of any size, rate and codec that ffmpeg reads; whole or not at all. */
  readonly file: string;
};

/** What a maker knows of the clip that it wrote. */
export type BaseClipFacts = {
  /**
   * Where the face is in each frame, when the maker knows; otherwise it is looked for. `beside`: in `<file>.faces.json`, for
   * that is much to hand from process to process.
   */
  readonly faces?: readonly Face[] | 'beside';
  /** Whether its end leads back to its beginning; where not, whoever repeats it has to close the loop. True if not given. */
  readonly closes?: boolean;
};

/** Makes videos of an avatar that does not speak. */
export interface BaseClipMaker extends AsyncDisposable {
  /** Changes whenever it would make other pictures of the same job: its name, models and settings; part of cache keys. */
  readonly version: string;
  /** Whether it takes the card or most of the CPU, so that it must run only while nobody talks. */
  readonly heavy: boolean;
  /**
   * Makes one base clip; `onProgress` hears the share that is done, 0 to 1. Rejects with a `VideoError`, or with the
   * signal's reason once it aborts, and then leaves no file.
   */
  make(job: BaseClipJob, onProgress: (done: number) => void, signal: AbortSignal): Promise<BaseClipFacts>;
}

/** A base clip ready to be spoken over: decoded to the avatar's size at `VIDEO_FPS`, its face known in every frame. */
export interface BaseClip {
  readonly width: number;
  readonly height: number;
  /** Number of frames; the one after the last is the first again. */
  readonly frames: number;
  /** Frame `index`, 0 to `frames` - 1; the caller may write into it. */
  picture(index: number): Promise<Picture>;
  face(index: number): Face;
  /** Where what a lip-sync makes of its frames can be kept; it is deleted with the clip. */
  readonly folder?: string;
}

/** Puts speech into a face. */
export interface LipSync extends AsyncDisposable {
  /**
   * Makes once what it needs of a base clip and keeps it in the clip's folder; `onProgress` hears the share that is done, 0 to 1.
   * Where that was not done, `frames` does it first. Rejects with a `VideoError`, or with the signal's reason once it aborts.
   */
  prepare?(base: BaseClip, onProgress: (done: number) => void, signal: AbortSignal): Promise<void>;
  /**
   * Frames of `base`, from its first one on, whose mouth speaks `speech` (mono, -1 to 1, `rate` samples per second, chunks
   * of any length): floor(samples · VIDEO_FPS / rate) of them, rounded up at the end of speech, each as soon as the sound
   * that it needs is there. Ends early, without an error, when `signal` aborts.
   */
  frames(
    base: BaseClip,
    speech: AsyncIterable<Float32Array>,
    rate: number,
    signal: AbortSignal,
  ): AsyncIterable<Picture>;
}

/** What a clip is made of. */
export type ClipFormat = {
  readonly width: number;
  readonly height: number;
  /** Samples per second of its speech. */
  readonly rate: number;
};

/** Makes an MP4 (H.264 and AAC) of frames and speech. */
export interface Muxer extends AsyncDisposable {
  /** The encoder, for the start's log: `ffmpeg 5.1 (libx264)`, say. */
  readonly name: string;
  /** As browsers want it: `video/mp4; codecs="avc1.42C01F, mp4a.40.2"`. */
  readonly mime: string;
  /**
   * A fragmented MP4, in pieces as it is made; frame k is shown at sample k · rate / VIDEO_FPS. When both inputs have
   * ended, `file` is written: the same, whole, with its index in front. An abort leaves no process and no file.
   */
  mux(
    frames: AsyncIterable<Picture>,
    speech: AsyncIterable<Float32Array>,
    format: ClipFormat,
    file: string,
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array>;
}

/** How a mouth stands, apart from whose it is. */
export type MouthShape = {
  /** From closed, 0, to as far as one opens it for a loud "ah", 1. */
  readonly open: number;
  /** From rounded as for "oo", -1, over relaxed, 0, to spread as for "ee", 1. */
  readonly wide: number;
  /** How firmly the lips are pressed together, as for "m" and "p": 0 to 1. */
  readonly pressed: number;
  /** How much the upper teeth show, as for "s" and "f": 0 to 1. */
  readonly teeth: number;
};

/** An avatar as it lies on the disk. */
export type Avatar = {
  /** Of its content: another picture or another crop is another avatar. */
  readonly id: string;
  readonly name: string;
  /** One that came with the project. */
  readonly preset: boolean;
  /** Holds `pictureFile` and all that is made from it. */
  readonly folder: string;
  /** A square PNG. */
  readonly pictureFile: string;
  readonly face: Face;
};

/** A part of a picture that a user chose, as shares of its width and height from 0 to 1; made square by the importer. */
export type Crop = { readonly x: number; readonly y: number; readonly size: number };

/** A picture that was read, turned upright and cut to a square around its face; or why it could not be. */
export type ImportedPicture =
  | { readonly ok: true; readonly png: Uint8Array; readonly face: Face }
  | {
      readonly ok: false;
      readonly problem: 'format' | 'too_large' | 'too_small' | 'damaged' | 'no_face' | 'several_faces';
      readonly message: string;
      /** Of the whole upright picture, where it could be read, so that a user can choose a crop: pixels, and the faces in it. */
      readonly width?: number;
      readonly height?: number;
      readonly faces?: readonly Box[];
    };

/** One clip to be made of a reply's speech. */
export type SpeakJob = {
  /** The folder of a prepared base clip. */
  readonly base: string;
  readonly rate: number;
  /** The whole MP4 that is written at the end. */
  readonly file: string;
};

/** The parts of the video tier that compute. They run in a process of their own, so that speech never waits for them. */
export interface VideoWorker {
  /** The encoder's name and the clips' type. */
  readonly encoder: string;
  readonly mime: string;
  /** The lip-synced clip of `speech` (mono, -1 to 1), in pieces as it is made. */
  speak(job: SpeakJob, speech: AsyncIterable<Float32Array>, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** Makes a base clip of the picture alone; gives the share that is done, and at the end what is known of the clip. */
  still(job: BaseClipJob, signal: AbortSignal): AsyncIterable<number | BaseClipFacts>;
  /** Decodes a base clip's `file` into `folder`, whole or not at all; gives the share that is done. */
  prepare(file: string, folder: string, facts: BaseClipFacts, signal: AbortSignal): AsyncIterable<number>;
  /** Makes what the lip-sync keeps of the prepared clip in `folder`, unless it is there; gives the share that is done. */
  makeReady?(folder: string, signal: AbortSignal): AsyncIterable<number>;
  /** Reads an uploaded picture; gives exactly one answer. */
  importPicture(bytes: Uint8Array, crop: Crop | undefined, signal: AbortSignal): AsyncIterable<ImportedPicture>;
}

/** What becomes of a reply's clip. */
export type ClipEvent =
  | {
      readonly type: 'progress';
      readonly turn: number;
      readonly stage: 'waiting' | 'base' | 'speaking';
      readonly done?: number;
    }
  | {
      readonly type: 'clip';
      readonly turn: number;
      readonly clip: string;
      readonly mime: string;
      readonly width: number;
      readonly height: number;
    }
  | { readonly type: 'bytes'; readonly turn: number; readonly bytes: Uint8Array }
  | {
      readonly type: 'done';
      readonly turn: number;
      readonly clip: string;
      readonly bytes: number;
      readonly seconds: number;
    }
  | { readonly type: 'failed'; readonly turn: number; readonly message: string };

/** The clips of one conversation. None of its methods waits or throws, whatever becomes of the clips. */
export interface ReplyVideo {
  /** More of what a reply says, as written. */
  text(turn: number, text: string): void;
  /** More of a reply's speech (mono, -1 to 1), in order from its beginning. */
  speech(turn: number, samples: Float32Array): void;
  /** A reply's speech is complete. */
  end(turn: number): void;
  /** A reply was cut, or never became one: nothing more of its clip will be told. */
  cancel(turn: number): void;
  /** What becomes of the clips from now on, until `signal` aborts; a new reader takes over from the last. */
  read(signal: AbortSignal): AsyncIterable<ClipEvent>;
  /** The conversation is over. */
  close(): void;
}

/** What went wrong in the video tier, in one sentence that names the fix. Speech goes on without it. */
export class VideoError extends Error {
  override readonly name = 'VideoError';
}
