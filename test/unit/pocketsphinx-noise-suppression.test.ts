import { describe, expect, it } from 'vitest';
import { loadNoiseSuppression } from '../../src/server/engines/pocketsphinx/noise-suppression.ts';
import { thirder, tripler } from '../../src/server/engines/pocketsphinx/rate-by-three.ts';
import { noise } from '../contracts/asr-suite.ts';
import { padded, synthesise } from '../fixtures/speech.ts';

const power = (samples: Float32Array) => samples.reduce((sum, value) => sum + value * value, 0) / samples.length;
const tone = (hertz: number, rate: number, length: number) =>
  Float32Array.from({ length }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hertz * i) / rate));

function cleaned(samples: Float32Array, lengths: readonly number[]): Float32Array {
  const suppressor = open();
  const parts: number[] = [];
  for (let at = 0, i = 0; at < samples.length; i++) {
    parts.push(...suppressor.process(samples.subarray(at, at + lengths[i % lengths.length]!)));
    at += lengths[i % lengths.length]!;
  }
  parts.push(...suppressor.flush());
  suppressor.close();
  return Float32Array.from(parts);
}
const open = loadNoiseSuppression();

describe('three times the rate and back', () => {
  it.each([200, 1_000, 3_000, 6_000])('keeps a tone of %d Hz', (hertz) => {
    const there = tripler()(tone(hertz, 16_000, 4_800));
    const back = thirder()(there).subarray(400);
    expect(10 * Math.log10(power(back) / 0.125)).toBeCloseTo(0, 0);
  });

  it('lets nothing through that 16 kHz cannot carry', () => {
    const out = thirder()(tone(10_000, 48_000, 14_400)).subarray(400);
    expect(10 * Math.log10(power(out) / 0.125)).toBeLessThan(-50);
  });

  it('does not care how the stream is cut', () => {
    const whole = tone(700, 16_000, 1_000);
    const up = tripler();
    const parts = [whole.subarray(0, 1), whole.subarray(1, 300), whole.subarray(300)].flatMap((part) => [...up(part)]);
    expect(parts).toEqual([...tripler()(whole)]);
  });
});

describe('noise suppression', () => {
  it('makes noise quieter and leaves speech', async () => {
    const speech = padded(await synthesise('what time is it'), 200, 200).samples;
    const hiss = noise(speech.length / 16_000, 0.05);
    expect(power(cleaned(hiss, [512]).subarray(8_000))).toBeLessThan(power(hiss) / 10);
    expect(power(cleaned(speech, [512]))).toBeGreaterThan(power(speech) / 2);
  });

  it('gives about as much as it takes, whatever the chunks', () => {
    const hiss = noise(1, 0.1);
    const whole = cleaned(hiss, [hiss.length]);
    expect(Math.abs(whole.length - hiss.length)).toBeLessThanOrEqual(160);
    expect([...cleaned(hiss, [1, 500, 0, 37])]).toEqual([...whole]);
  });

  it('keeps utterances apart that are cleaned at the same time', () => {
    const one = noise(0.5, 0.1);
    const alone = cleaned(one, [512]);
    const [first, second] = [open(), open()];
    const parts: number[] = [];
    for (let at = 0; at < one.length; at += 512) {
      parts.push(...first.process(one.subarray(at, at + 512)));
      second.process(tone(440, 16_000, 512));
    }
    parts.push(...first.flush());
    for (const suppressor of [first, second]) suppressor.close();
    expect(parts).toEqual([...alone]);
  });
});
