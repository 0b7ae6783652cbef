import { assert, integer, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Resampler } from '../../src/protocol/resampler.ts';

const RATES: [number, number][] = [
  [48_000, 16_000],
  [44_100, 16_000],
  [96_000, 16_000],
  [22_050, 16_000],
  [8_000, 16_000],
  [24_000, 48_000],
  [24_000, 44_100],
  [16_000, 44_100],
  [22_050, 48_000],
];

function convert(from: number, to: number, input: Float32Array, chunk = 128): Float32Array {
  const resampler = new Resampler(from, to);
  const out: number[] = [];
  const read = () => {
    const piece = new Float32Array(resampler.available());
    resampler.read(piece);
    for (const sample of piece) out.push(sample);
  };
  for (let i = 0; i < input.length; i += chunk) {
    resampler.write(input.subarray(i, i + chunk));
    read();
  }
  resampler.end();
  read();
  return Float32Array.from(out);
}

const sine = (hz: number, rate: number, samples: number) =>
  Float32Array.from({ length: samples }, (_, i) => Math.sin((2 * Math.PI * hz * i) / rate));

/** Level in dB of the middle of a signal, against a sine of full scale. */
function level(samples: Float32Array): number {
  const middle = samples.subarray(samples.length >> 2, (3 * samples.length) >> 2);
  return 10 * Math.log10(middle.reduce((sum, x) => sum + x * x, 0) / middle.length / 0.5 + 1e-20);
}

describe.each(RATES)('from %d to %d Hz', (from, to) => {
  const nyquist = Math.min(from, to) / 2;

  test('what both rates can carry passes unchanged', () => {
    for (let hz = 100; hz <= 0.9 * nyquist; hz += nyquist / 23) {
      const input = sine(hz, from, from / 5);
      const output = convert(from, to, input);
      expect(level(output), `${hz} Hz`).toBeCloseTo(level(input), 1);
      const ideal = sine(hz, to, output.length);
      const error = output.map((x, i) => x - ideal[i]!);
      expect(level(error), `error at ${hz} Hz`).toBeLessThan(-38);
    }
  });

  test.runIf(to < from)('what the lower rate cannot carry leaves no alias', () => {
    for (let hz = nyquist * 1.001; hz < from / 2; hz += nyquist / 17) {
      expect(level(convert(from, to, sine(hz, from, from / 5))), `${hz} Hz`).toBeLessThan(-60);
    }
  });

  test.runIf(to > from)('a rise in rate adds no image above the old band', () => {
    const hz = 0.8 * nyquist;
    const output = convert(from, to, sine(hz, from, from / 5));
    const ideal = sine(hz, to, output.length);
    expect(level(output.map((x, i) => x - ideal[i]!))).toBeLessThan(-60);
  });

  test('the result does not depend on the size of the chunks', () => {
    const input = sine(440, from, 4000);
    const whole = convert(from, to, input, input.length);
    assert(
      property(integer({ min: 1, max: 1500 }), (chunk) => {
        expect(convert(from, to, input, chunk)).toEqual(whole);
      }),
      { numRuns: 12 },
    );
  });

  test('every input sample is counted once', () => {
    const resampler = new Resampler(from, to);
    const input = new Float32Array(12_345);
    resampler.write(input);
    resampler.end();
    const out = new Float32Array(Math.ceil((input.length * to) / from));
    expect(resampler.availableAtEnd()).toBeGreaterThanOrEqual(out.length);
    expect(resampler.read(out)).toBe(out.length);
    expect(resampler.available()).toBe(0);
    expect(resampler.consumed).toBeGreaterThanOrEqual(input.length);
  });
});

test('ten minutes do not drift by a sample', () => {
  const [from, to] = [11_025, 8_000];
  const resampler = new Resampler(from, to);
  const chunk = new Float32Array(1102.5 * 2);
  const out = new Float32Array(1600 + 64);
  let written = 0;
  for (let fifths = 0; fifths < 3000; fifths++) {
    resampler.write(chunk);
    written += resampler.read(out);
  }
  // What is missing is what the filter still looks ahead for.
  expect(600 * to - written).toBeLessThanOrEqual(48);
  expect(resampler.consumed).toBe(Math.floor((written * from) / to));
});

test('the same rate is passed through bit by bit', () => {
  const input = sine(997, 16_000, 1000);
  expect(convert(16_000, 16_000, input)).toEqual(input);
});

test('a rate that is no whole number is refused', () => {
  expect(() => new Resampler(44_100.5, 16_000)).toThrow(RangeError);
});
