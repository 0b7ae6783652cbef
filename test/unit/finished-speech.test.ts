import { expect, it } from 'vitest';
import { chunks, finished } from '../../src/server/engines/sound/finish.ts';
import { begunIn, sharedTime } from '../../src/server/engines/sound/share-time.ts';

const RATE = 24_000;
const seconds = (value: number) => Math.round(value * RATE);

/** Silence with the faint noise of a model, a tone, and silence again, in seconds. */
function speech(before: number, tone: number, after: number): Float32Array {
  const out = new Float32Array(seconds(before) + seconds(tone) + seconds(after));
  for (let i = 0; i < out.length; i++) out[i] = 0.001 * Math.sin(i * 1.7);
  for (let i = 0; i < seconds(tone); i++) out[seconds(before) + i] = 0.3 * Math.sin((2 * Math.PI * 200 * i) / RATE);
  return out;
}

it('keeps little of the silence around speech, and says where the speech lies', () => {
  const { samples, skipped, voiced } = finished(speech(0.5, 1, 0.8), RATE, 200);
  expect(skipped / RATE).toBeCloseTo(0.46, 2);
  expect(voiced.start / RATE).toBeCloseTo(0.04, 2);
  expect(voiced.end / RATE).toBeCloseTo(1.05, 1);
  expect(samples.length / RATE).toBeCloseTo(1.25, 1);
});

it('adds no silence that was not there', () => {
  const made = speech(0.01, 1, 0.01);
  expect(finished(made, RATE, 200).samples.length).toBe(made.length);
});

it('gives nothing for silence', () => {
  expect(finished(speech(1, 0, 0), RATE, 200).samples).toHaveLength(0);
  expect(finished(new Float32Array(0), RATE, 200).samples).toHaveLength(0);
});

it('begins and ends softly, so that nothing clicks', () => {
  const { samples } = finished(
    new Float32Array(seconds(0.5)).map((_, i) => 0.5 * Math.cos(i / 20)),
    RATE,
    0,
  );
  expect(Math.abs(samples[0]!)).toBeLessThan(0.02);
  expect(Math.abs(samples.at(-1)!)).toBeLessThan(0.02);
});

it('cuts sound into pieces that are together the whole', () => {
  const made = speech(0, 1.01, 0);
  const pieces = [...chunks(made, RATE)];
  expect(Math.max(...pieces.map(({ length }) => length))).toBe(seconds(0.08));
  expect(pieces.flatMap((piece) => [...piece])).toEqual([...made]);
});

it('shares speech among its words by their weights, with a pause after a comma', () => {
  const words = sharedTime(
    [
      { text: 'One,', weight: 4 },
      { text: 'twelve', weight: 8 },
    ],
    { start: 100, end: 1_700 },
  );
  expect(words).toEqual([
    { text: 'One,', start: 100, end: 500 },
    { text: 'twelve', start: 900, end: 1_700 },
  ]);
  expect(begunIn(words, 800, 200, 5_000)).toEqual([{ text: 'twelve', start: 5_900, end: 6_700 }]);
});

it('gives words without sound a place inside the speech', () => {
  const words = sharedTime(
    [
      { text: 'Hi', weight: 2 },
      { text: '😀', weight: 0 },
    ],
    { start: 0, end: 300 },
  );
  expect(words[1]).toEqual({ text: '😀', start: 299, end: 300 });
});
