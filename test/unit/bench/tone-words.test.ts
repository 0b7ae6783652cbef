import { describe, expect, test } from 'vitest';
import { findTones } from '../../../src/bench/tone-words.ts';
import { tones } from '../../../src/server/engines/scripted/tones.ts';

const RATE = 24_000;
const settings = { rate: RATE, pitch: 300, speed: 1 };
const phrase = 'a reply that is cut at random places while it is still being spoken to the very end';

describe('findTones', () => {
  test('finds every word of a phrase, in order and in place', () => {
    const { samples, words } = tones(phrase, settings);
    const found = findTones(samples, RATE, 300);
    expect(found.map(({ index }) => index)).toEqual(words.map((_, i) => i % 16));
    for (const [i, { start, end }] of found.entries()) {
      expect(Math.abs(start - words[i]!.start)).toBeLessThan(RATE / 1000);
      expect(Math.abs(end - words[i]!.end)).toBeLessThan(RATE / 1000);
    }
  });

  test('finds a word that was torn off', () => {
    const { samples, words } = tones(phrase, settings);
    const cut = Math.round((words[5]!.start + words[5]!.end) / 2);
    expect(findTones(samples.subarray(0, cut), RATE, 300).map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test('does not take another sound for a word', () => {
    const hum = Float32Array.from({ length: RATE / 4 }, (_, i) => 0.3 * Math.sin((2 * Math.PI * 120 * i) / RATE));
    expect(findTones(hum, RATE, 300)).toMatchObject([{ index: -1 }]);
  });
});
