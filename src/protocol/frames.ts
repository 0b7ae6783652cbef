import { readPcm16, writePcm16 } from './pcm.ts';

/**
 * What a binary frame carries: `mic` from the browser, `speech` to it.
 * Its header is 12 bytes, little-endian: u8 kind, u8 flags, u16 sequence, u32 turn, u32 position.
 */
export const FRAME_KIND = { mic: 1, speech: 2 } as const;

export const FRAME_HEADER_BYTES = 12;

export type AudioFrame = {
  readonly kind: keyof typeof FRAME_KIND;
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
