import { joinedSamples } from '../../../protocol/pcm.ts';

const TAPS_PER_PHASE = 24;
const TAPS = 3 * TAPS_PER_PHASE;
/** Of 48 kHz: below the 8 kHz that 16 kHz can carry, with room for the filter's slope. */
const CUTOFF = 7400 / 48_000;

/** A low pass for 48 kHz (windowed sinc, Blackman), with a gain of 1. */
const LOW_PASS = (() => {
  const taps = Float64Array.from({ length: TAPS }, (_, i) => {
    const x = i - (TAPS - 1) / 2;
    const window =
      0.42 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / TAPS) + 0.08 * Math.cos((4 * Math.PI * (i + 0.5)) / TAPS);
    return window * 2 * CUTOFF * (x === 0 ? 1 : Math.sin(2 * Math.PI * CUTOFF * x) / (2 * Math.PI * CUTOFF * x));
  });
  const sum = taps.reduce((total, tap) => total + tap, 0);
  return taps.map((tap) => tap / sum);
})();

/** A stream of 16 kHz samples made into 48 kHz; each call gives three times what it takes, 0.75 ms late. */
export function tripler(): (samples: Float32Array) => Float32Array {
  let past = new Float32Array(TAPS_PER_PHASE - 1);
  return (samples) => {
    const line = joinedSamples([past, samples]);
    const out = new Float32Array(3 * samples.length);
    for (let i = 0; i < out.length; i++) {
      const newest = Math.floor(i / 3) + TAPS_PER_PHASE - 1;
      let sum = 0;
      for (let k = 0; k < TAPS_PER_PHASE; k++) sum += LOW_PASS[(i % 3) + 3 * k]! * line[newest - k]!;
      out[i] = 3 * sum;
    }
    past = line.slice(line.length - past.length);
    return out;
  };
}

/** A stream of 48 kHz samples made into 16 kHz, 0.75 ms late; calls must take a multiple of three. */
export function thirder(): (samples: Float32Array) => Float32Array {
  let past = new Float32Array(TAPS - 1);
  return (samples) => {
    const line = joinedSamples([past, samples]);
    const out = new Float32Array(samples.length / 3);
    for (let i = 0; i < out.length; i++) {
      const newest = 3 * i + TAPS - 1;
      let sum = 0;
      for (let k = 0; k < TAPS; k++) sum += LOW_PASS[k]! * line[newest - k]!;
      out[i] = sum;
    }
    past = line.slice(line.length - past.length);
    return out;
  };
}
