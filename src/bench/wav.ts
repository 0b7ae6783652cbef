import type { Pcm } from '../protocol/pcm.ts';

const FORMAT = { pcm: 1, float: 3, extensible: 0xfffe } as const;

/** The sound of a RIFF/WAVE file (8, 16, 24 or 32-bit PCM or 32-bit float; channels are averaged); throws on anything else. */
export function decodeWav(bytes: Uint8Array): Pcm {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tag = (at: number) => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (bytes.length < 12 || tag(0) !== 'RIFF' || tag(8) !== 'WAVE')
    throw new Error('Not a WAV file: no RIFF/WAVE header.');
  let format = 0;
  let channels = 0;
  let rate = 0;
  let bits = 0;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const start = at + 8;
    // A streamed file says 0 or 0xffffffff; what is there counts.
    const length = Math.min(view.getUint32(at + 4, true), bytes.length - start);
    if (tag(at) === 'fmt ') {
      format = view.getUint16(start, true);
      channels = view.getUint16(start + 2, true);
      rate = view.getUint32(start + 4, true);
      bits = view.getUint16(start + 14, true);
      if (format === FORMAT.extensible) format = view.getUint16(start + 24, true);
    } else if (tag(at) === 'data') {
      return { rate, samples: samplesOf(view, start, length, format, bits, channels) };
    }
    at = start + length + (length % 2);
  }
  throw new Error('Not a WAV file with sound: it has no data chunk.');
}

function samplesOf(view: DataView, start: number, length: number, format: number, bits: number, channels: number) {
  const bytes = bits / 8;
  const known = format === FORMAT.float ? bits === 32 : format === FORMAT.pcm && [1, 2, 3, 4].includes(bytes);
  if (!known || channels < 1) throw new Error(`A WAV file of format ${format} with ${bits} bits is not supported.`);
  const one = (at: number) => {
    if (format === FORMAT.float) return view.getFloat32(at, true);
    if (bytes === 1) return (view.getUint8(at) - 128) / 128;
    if (bytes === 2) return view.getInt16(at, true) / 0x8000;
    if (bytes === 3) return (view.getInt8(at + 2) * 0x10000 + view.getUint16(at, true)) / 0x800000;
    return view.getInt32(at, true) / 0x80000000;
  };
  const samples = new Float32Array(Math.floor(length / (bytes * channels)));
  for (let i = 0; i < samples.length; i++) {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += one(start + (i * channels + c) * bytes);
    samples[i] = sum / channels;
  }
  return samples;
}
