import { describe, expect, it } from 'vitest';
import { lipSyncFigures, unknownSpeakers } from '../../../src/bench/lip-sync.ts';
import { joinedSamples } from '../../../src/protocol/pcm.ts';
import type { BaseClip, MouthShape } from '../../../src/server/video/contracts.ts';
import { createVisemes, mouthShapes } from '../../../src/server/video/lip-sync/visemes.ts';
import { padded, synthesise } from '../../fixtures/speech.ts';

const never = new AbortController().signal;

async function* cut(samples: Float32Array, length: number): AsyncGenerator<Float32Array> {
  for (let at = 0; at < samples.length; at += length) yield samples.subarray(at, at + length);
}

async function shapesOf(samples: Float32Array, rate = 16_000, length = samples.length): Promise<MouthShape[]> {
  const shapes: MouthShape[] = [];
  for await (const shape of mouthShapes(cut(samples, length), rate, never)) shapes.push(shape);
  return shapes;
}

const openings = (shapes: readonly MouthShape[]) => shapes.map(({ open }) => open);
const most = (values: readonly number[]) => Math.max(...values);
const average = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

const VOICES = ['rms', 'slt', 'awb', 'kal'];

describe('the mouth that is heard in speech', () => {
  it.each(VOICES)('opens and closes with the speech of %s', async (voice) => {
    const { samples, rate } = padded(
      await synthesise('We were away a year ago, and nobody knew. My mother made a big apple pie!', voice),
      600,
      600,
    );
    const { correlation, silent, closed } = lipSyncFigures(openings(await shapesOf(samples)), samples, rate);
    expect(correlation).toBeGreaterThan(0.5);
    expect(silent).toBeGreaterThan(20);
    expect(closed / silent).toBeGreaterThanOrEqual(0.95);
  });

  it.each([0.03, 0.25, 2])('opens as wide for a voice %f times as loud', async (gain) => {
    const { samples } = await synthesise('How are you today, and what can I do for you?', 'rms');
    const usual = average(openings(await shapesOf(samples)));
    const other = average(openings(await shapesOf(samples.map((sample) => sample * gain))));
    expect(Math.abs(other / usual - 1)).toBeLessThan(0.25);
  });

  it('closes in a short pause', async () => {
    const hello = await synthesise('Hello', 'slt');
    const pause = new Float32Array(0.2 * hello.rate);
    const before = hello.samples.length / hello.rate;
    const shapes = openings(await shapesOf(joinedSamples([hello.samples, pause, hello.samples])));
    const during = shapes.slice(Math.floor(before * 25), Math.ceil((before + 0.2) * 25));
    expect(Math.min(...during)).toBe(0);
    expect(most(shapes)).toBeGreaterThan(0.4);
  });

  it('presses the lips together for "papa" and "mama", and rounds them for "who"', async () => {
    const papa = await shapesOf((await synthesise('papa mama papa mama', 'rms')).samples);
    const sisters = await shapesOf((await synthesise('she sees the tea', 'rms')).samples);
    expect(most(papa.map(({ pressed }) => pressed))).toBeGreaterThan(0.8);
    expect(papa.every(({ open, pressed }) => open * pressed < 0.2)).toBe(true);
    const who = await shapesOf((await synthesise('who knew you two', 'rms')).samples);
    const width = (shapes: readonly MouthShape[]) => average(shapes.map(({ wide }) => wide));
    expect(width(who)).toBeLessThan(width(sisters) - 0.2);
    const teeth = (shapes: readonly MouthShape[]) => average(shapes.map((shape) => shape.teeth));
    expect(teeth(sisters)).toBeGreaterThan(teeth(who));
  });

  it('stays within what a mouth can do, whatever comes', async () => {
    const wild = Float32Array.from({ length: 16_000 }, (_, i) => [Number.NaN, 1e9, -1, 0.3][i % 4]!);
    const { samples } = await synthesise('And now again.', 'awb');
    const shapes = await shapesOf(joinedSamples([wild, samples]));
    expect(shapes.length).toBe(Math.ceil((wild.length + samples.length) / 640));
    for (const { open, wide, pressed, teeth } of shapes) {
      for (const value of [open, Math.abs(wide), pressed, teeth]) {
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual(1);
      }
    }
  });

  it('moves from frame to frame as a mouth does', async () => {
    const { samples } = await synthesise('The quick brown fox jumps over the lazy dog again and again.', 'kal');
    const shapes = openings(await shapesOf(samples));
    expect(most(shapes.map((open, i) => open - (shapes[i - 1] ?? 0)))).toBeLessThan(0.5);
    const turns = shapes.filter((open, i) => i > 1 && (open - shapes[i - 1]!) * (shapes[i - 1]! - shapes[i - 2]!) < 0);
    // A syllable opens and closes; at most six of these are spoken in a second.
    expect(turns.length / (shapes.length / 25)).toBeLessThan(12);
  });
});

describe('frames for speech as it comes', () => {
  it.each([
    [16_000, 1_000, 2],
    [24_000, 24_001, 26],
    [22_050, 22_050 * 0.5, 13],
    [48_000, 1, 1],
    [16_000, 0, 0],
  ])('at %i samples per second, %i samples are given %i frames', async (rate, samples, frames) => {
    expect(await shapesOf(new Float32Array(samples), rate, 640)).toHaveLength(frames);
  });

  it('are the same however the speech is cut', async () => {
    const { samples } = await synthesise('Any pieces will do.', 'slt');
    const whole = await shapesOf(samples);
    expect(await shapesOf(samples, 16_000, 97)).toEqual(whole);
    expect(await shapesOf(samples, 16_000, 5_000)).toEqual(whole);
  });

  it('come as soon as 120 ms of sound after their begin are there, and not before they are complete', async () => {
    const { samples } = await synthesise('One two three four five six.', 'rms');
    let given = 0;
    async function* speech() {
      for await (const chunk of cut(samples, 160)) {
        given += chunk.length;
        yield chunk;
      }
    }
    let frame = 0;
    for await (const _ of mouthShapes(speech(), 16_000, never)) {
      if (given < samples.length) {
        expect(given).toBeGreaterThanOrEqual((frame + 1) * 640);
        expect(given).toBeLessThanOrEqual(frame * 640 + 1_920 + 160);
      }
      frame++;
    }
  });

  it('end at once on an abort, even while no speech comes', async () => {
    const abort = new AbortController();
    async function* speech() {
      yield new Float32Array(16_000);
      await new Promise(() => {});
    }
    let frames = 0;
    for await (const _ of mouthShapes(speech(), 16_000, abort.signal)) {
      // What there is has been heard by then: 1 s, less the 120 ms that a frame looks ahead.
      if (++frames === 22) setImmediate(() => abort.abort());
    }
    expect(frames).toBeGreaterThanOrEqual(22);
    expect(frames).toBeLessThan(25);
  });

  it('end at once on an abort in the middle of a long chunk', async () => {
    const abort = new AbortController();
    let frames = 0;
    for await (const _ of mouthShapes(cut(new Float32Array(160_000), 160_000), 16_000, abort.signal)) {
      if (++frames === 5) abort.abort();
    }
    expect(frames).toBe(5);
  });

  it('show the base clip over and over, its mouth moved', async () => {
    const size = 64;
    const asked: number[] = [];
    const ring = (r: number, height: number) =>
      Array.from({ length: 20 }, (_, i) => ({
        x: 32 - r * Math.cos((Math.PI * i) / 10),
        y: 44 - height * Math.sin((Math.PI * i) / 10),
      }));
    const face = {
      box: { x: 12, y: 8, width: 40, height: 50 },
      outerLips: ring(10, 4),
      innerLips: ring(8, 0.1),
      leftEye: ring(3, 1),
      rightEye: ring(3, 1),
      jaw: Array.from({ length: 17 }, (_, i) => ({
        x: 32 - 20 * Math.cos((Math.PI * i) / 16),
        y: 36 + 22 * Math.sin((Math.PI * i) / 16),
      })),
    };
    const plain = Uint8Array.from({ length: 3 * size * size }, (_, i) => (i * 7) % 200);
    const base: BaseClip = {
      width: size,
      height: size,
      frames: 3,
      picture: async (index) => {
        asked.push(index);
        return { width: size, height: size, rgb: plain.slice() };
      },
      face: () => face,
    };
    const { samples, rate } = await synthesise('Hello there.', 'rms');
    await using visemes = createVisemes();
    let moved = 0;
    let frames = 0;
    for await (const { rgb } of visemes.frames(base, cut(samples, 800), rate, never)) {
      if (Buffer.compare(rgb, plain) !== 0) moved++;
      frames++;
    }
    expect(frames).toBe(Math.ceil((samples.length * 25) / rate));
    expect(asked).toEqual(Array.from({ length: frames }, (_, i) => i % 3));
    expect(moved).toBeGreaterThan(frames / 3);
  });
});

describe.skipIf(unknownSpeakers(1).length === 0)('recordings (skipped where ../shared/data is not there)', () => {
  it.each([0, 9, 13])('move the mouth as they are loud, and close it in silence (%i)', async (index) => {
    const { samples } = unknownSpeakers(20)[index]!;
    const { correlation, silent, closed } = lipSyncFigures(openings(await shapesOf(samples)), samples, 16_000);
    expect(correlation).toBeGreaterThan(0.6);
    expect(closed).toBeGreaterThanOrEqual(0.95 * silent);
  });
});
