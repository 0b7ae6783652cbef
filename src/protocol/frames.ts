import { readPcm16, writePcm16 } from './pcm.ts';

/**
 * What a binary frame carries: `mic` from the browser, `speech` and pieces of a `clip` to it.
 * Its header is 12 bytes, little-endian: u8 kind, u8 flags, u16 sequence, u32 turn, u32 position.
 */
export const FRAME_KIND = { mic: 1, speech: 2, clip: 3 } as const;

export const FRAME_HEADER_BYTES = 12;

export type AudioFrame = {
  readonly kind: 'mic' | 'speech';
  /** Grows by one per frame and wraps at 65,536, so that a gap can be seen. */
  readonly sequence: number;
  /** The turn the audio belongs to; 0 for the microphone. */
  readonly turn: number;
  /** Where the first sample lies: in the reply's speech, or in the microphone's stream (modulo 2^32). */
  readonly position: number;
  readonly samples: Float32Array;
};

/** Packs audio into one binary message. */
export function encodeFrame(frame: AudioFrame): ArrayBuffer {
  const buffer = new ArrayBuffer(FRAME_HEADER_BYTES + 2 * frame.samples.length);
  const view = new DataView(buffer);
  view.setUint8(0, FRAME_KIND[frame.kind]);
  view.setUint16(2, frame.sequence & 0xffff, true);
  view.setUint32(4, frame.turn, true);
  view.setUint32(8, frame.position >>> 0, true);
  writePcm16(frame.samples, view, FRAME_HEADER_BYTES);
  return buffer;
}

/** Unpacks one binary message, or says in a sentence what is wrong with it. */
export function decodeFrame(bytes: ArrayBuffer | Uint8Array): AudioFrame | string {
  const view =
    bytes instanceof Uint8Array ? new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) : new DataView(bytes);
  if (view.byteLength < FRAME_HEADER_BYTES) {
    return `A binary message needs a header of ${FRAME_HEADER_BYTES} bytes; this one has ${view.byteLength} bytes.`;
  }
  const code = view.getUint8(0);
  const kind = code === FRAME_KIND.mic ? 'mic' : code === FRAME_KIND.speech ? 'speech' : undefined;
  if (!kind) return `A binary message of kind ${code} is not known; send ${FRAME_KIND.mic} for microphone audio.`;
  if ((view.byteLength - FRAME_HEADER_BYTES) % 2 !== 0) {
    return 'Audio is 16-bit PCM, so its length in bytes must be even.';
  }
  return {
    kind,
    sequence: view.getUint16(2, true),
    turn: view.getUint32(4, true),
    position: view.getUint32(8, true),
    samples: readPcm16(view, FRAME_HEADER_BYTES),
  };
}

/** The most bytes of a clip that one binary message carries: more would hold speech back on a slow line. */
export const MAX_PIECE_BYTES = 16 * 1024;

const LAST_PIECE = 1;

/** A stretch of a turn's clip. */
export type ClipPiece = {
  readonly sequence: number;
  readonly turn: number;
  /** Where its first byte lies in the clip. */
  readonly position: number;
  /** No more follow. */
  readonly last: boolean;
  readonly bytes: Uint8Array;
};

/** Packs a piece of a clip into one binary message. */
export function encodeClipPiece({ sequence, turn, position, last, bytes }: ClipPiece): ArrayBuffer {
  const buffer = new ArrayBuffer(FRAME_HEADER_BYTES + bytes.length);
  const view = new DataView(buffer);
  view.setUint8(0, FRAME_KIND.clip);
  view.setUint8(1, last ? LAST_PIECE : 0);
  view.setUint16(2, sequence & 0xffff, true);
  view.setUint32(4, turn, true);
  view.setUint32(8, position, true);
  new Uint8Array(buffer, FRAME_HEADER_BYTES).set(bytes);
  return buffer;
}

/** Unpacks one binary message that carries a piece of a clip; undefined if it carries something else. */
export function decodeClipPiece(message: ArrayBuffer | Uint8Array): ClipPiece | undefined {
  const all = message instanceof Uint8Array ? message : new Uint8Array(message);
  if (all.length < FRAME_HEADER_BYTES || all[0] !== FRAME_KIND.clip) return undefined;
  const view = new DataView(all.buffer, all.byteOffset, all.byteLength);
  return {
    sequence: view.getUint16(2, true),
    turn: view.getUint32(4, true),
    position: view.getUint32(8, true),
    last: (view.getUint8(1) & LAST_PIECE) !== 0,
    bytes: all.subarray(FRAME_HEADER_BYTES),
  };
}
