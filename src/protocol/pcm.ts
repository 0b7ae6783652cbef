/** The rate of microphone audio on the wire and in the conversation, in samples per second. */
export const MIC_RATE = 16_000;

/** Samples of one microphone frame (32 ms at 16 kHz): what the voice detector takes at a time. */
export const MIC_FRAME = 512;

/** Mono PCM, -1 to 1. The rate travels with the samples, so nobody has to guess it. */
export type Pcm = { readonly rate: number; readonly samples: Float32Array };

/** Chunks of samples, in order, as one. */
export function joinedSamples(chunks: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const whole = new Float32Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/** A sample as it may be: held to -1 to 1, and 0 for what is no number. */
export const soundSample = (sample: number): number =>
  Number.isFinite(sample) ? Math.max(-1, Math.min(1, sample)) : 0;

/** Writes samples (-1 to 1, clamped) as 16-bit little-endian PCM into `view` from byte `offset`. */
export function writePcm16(samples: Float32Array, view: DataView, offset: number): void {
  for (let i = 0; i < samples.length; i++) {
    const clamped = Math.max(-1, Math.min(1, samples[i]!));
    view.setInt16(offset + 2 * i, Math.round(clamped < 0 ? clamped * 32768 : clamped * 32767), true);
  }
}

/** Reads 16-bit little-endian PCM from byte `offset` to the end of `view` as samples from -1 to 1. */
export function readPcm16(view: DataView, offset: number): Float32Array {
  const samples = new Float32Array(Math.floor((view.byteLength - offset) / 2));
  for (let i = 0; i < samples.length; i++) samples[i] = view.getInt16(offset + 2 * i, true) / 32768;
  return samples;
}
