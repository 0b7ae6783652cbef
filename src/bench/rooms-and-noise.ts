const AUDIBLE = 0.01;
/** How much of a room's answer is used, in samples at 16 kHz: 0.4 s. */
const ROOM_LENGTH = 6_400;

const power = (samples: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < samples.length; i++) sum += samples[i]! ** 2;
  return sum / Math.max(1, samples.length);
};

/** `speech` as heard in a room with this impulse response (same rate), as loud and as late as before. */
export function inRoom(speech: Float32Array, response: Float32Array): Float32Array {
  let peak = 0;
  for (let i = 0; i < response.length; i++) if (Math.abs(response[i]!) > Math.abs(response[peak]!)) peak = i;
  const room = response.subarray(Math.max(0, peak - 16), peak + ROOM_LENGTH);
  const out = new Float32Array(speech.length);
  const least = 1e-3 * Math.abs(response[peak]!);
  for (let k = 0; k < room.length; k++) {
    const gain = room[k]!;
    if (Math.abs(gain) < least) continue;
    for (let i = k; i < out.length; i++) out[i] = out[i]! + gain * speech[i - k]!;
  }
  const level = Math.sqrt(power(speech) / (power(out) || 1));
  return out.map((sample) => sample * level);
}

/** `speech` with `noise` (from sample `from` on, repeated) so much below the power of its audible part, in decibels. */
export function withNoise(speech: Float32Array, noise: Float32Array, from: number, decibels: number): Float32Array {
  const piece = Float32Array.from(speech, (_, i) => noise[(from + i) % noise.length]!);
  const audible = speech.filter((sample) => Math.abs(sample) > AUDIBLE);
  const gain = Math.sqrt(power(audible) / (power(piece) || 1) / 10 ** (decibels / 10));
  return speech.map((sample, i) => sample + gain * piece[i]!);
}
