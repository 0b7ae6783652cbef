import { writePcm16 } from '../../../protocol/pcm.ts';

/** A mono 16-bit WAV file; samples beyond -1 to 1 are clamped, and what is no number is silence. */
export function wavFile(samples: Float32Array, rate: number): Uint8Array<ArrayBuffer> {
  const data = samples.length * 2;
  const bytes = new Uint8Array(44 + data);
  const view = new DataView(bytes.buffer);
  const tag = (at: number, text: string) => {
    for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
  };
  tag(0, 'RIFF');
  view.setUint32(4, 36 + data, true);
  tag(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  tag(36, 'data');
  view.setUint32(40, data, true);
  writePcm16(samples, view, 44);
  return bytes;
}
