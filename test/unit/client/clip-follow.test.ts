import { describe, expect, test } from 'vitest';
import { type Clip, type ClipSight, type ClipStep, followSound } from '../../../src/client/clip-follow.ts';

const FRAME_MS = 16;

/** A video element as `followSound` orders it about, beside a reply's sound; time passes only by `run`. */
class Theatre {
  clip: Clip = { is: 'loading' };
  ms = 0;
  /** When sample 0 is heard; undefined while nothing sounds. */
  soundFromMs: number | undefined;
  /** How much of the reply has been made, in seconds: no more is heard. */
  made = Number.POSITIVE_INFINITY;
  /** What of the clip has arrived, in seconds, and whether that is all. */
  arrived = 0;
  complete = false;
  /** How long the element needs to decode the frame it was put at, and what it loses when it starts. */
  decodeMs = 40;
  startMs = 30;
  /** How far the element plays: some stop before the end of what is there. */
  stops = Number.POSITIVE_INFINITY;
  /** How much faster the element's clock is than the sound's. */
  skew = 0;
  readonly seeks: number[] = [];
  readonly rates: number[] = [];
  step: ClipStep = { clip: this.clip, show: false };
  #position = 0;
  #rate = 1;
  #decodedAt = 0;
  #movesAt = Number.POSITIVE_INFINITY;

  get heard(): number | undefined {
    return this.soundFromMs === undefined ? undefined : Math.min(this.made, (this.ms - this.soundFromMs) / 1000);
  }

  get end(): number {
    return Math.min(this.arrived, this.stops);
  }

  /** How far the picture is ahead of the sound. */
  get offset(): number {
    return this.#position - this.heard!;
  }

  run(ms: number): void {
    for (const until = this.ms + ms; this.ms < until; ) {
      this.ms += FRAME_MS;
      if (this.ms >= this.#movesAt && this.#position < this.end) {
        this.#position = Math.min(this.end, this.#position + (FRAME_MS / 1000) * (this.#rate + this.skew));
      }
      this.#look();
    }
  }

  #look(): void {
    const moving = this.ms >= this.#movesAt;
    const sight: ClipSight = {
      now: this.ms / 1000,
      heard: this.heard,
      from: 0,
      to: this.arrived,
      complete: this.complete,
      decoded: this.arrived > 0 && this.ms >= this.#decodedAt,
      position: this.#position,
      ...(moving && this.heard !== undefined && { drift: this.offset }),
    };
    this.step = followSound(this.clip, sight);
    this.clip = this.step.clip;
    if (this.step.pause) this.#movesAt = Number.POSITIVE_INFINITY;
    if (this.step.seek !== undefined) {
      this.seeks.push(this.step.seek);
      this.#position = this.step.seek;
      this.#decodedAt = this.ms + this.decodeMs;
    }
    if (this.step.play !== undefined) {
      this.rates.push(this.step.play);
      this.#rate = this.step.play;
      if (this.#movesAt === Number.POSITIVE_INFINITY) this.#movesAt = this.ms + this.startMs;
    }
  }
}

describe('a clip that is there before its sound', () => {
  test('is not shown before the sound is heard, and then runs with it from its first frame', () => {
    const stage = new Theatre();
    stage.arrived = 5;
    stage.run(1_000);
    expect(stage.step.show).toBe(false);
    stage.soundFromMs = stage.ms + 200;
    stage.run(150);
    expect(stage.step.show).toBe(false);
    stage.run(400);
    expect(stage.step.show).toBe(true);
    expect(stage.seeks).toEqual([0]);
    expect(Math.abs(stage.offset)).toBeLessThan(0.04);
  });

  test('is never shown where no sound of its reply is heard', () => {
    const stage = new Theatre();
    stage.arrived = 5;
    stage.complete = true;
    stage.run(10_000);
    expect(stage.step.show).toBe(false);
    expect(stage.rates).toEqual([]);
  });
});

describe('a clip that comes late', () => {
  test('joins where the sound is by then', () => {
    const stage = new Theatre();
    stage.soundFromMs = 0;
    stage.run(2_000);
    expect(stage.step.show).toBe(false);
    stage.arrived = 8;
    stage.run(300);
    expect(stage.step.show).toBe(true);
    expect(stage.seeks[0]).toBeGreaterThan(2);
    expect(Math.abs(stage.offset)).toBeLessThan(0.04);
  });

  test('waits until more than the present moment has arrived', () => {
    const stage = new Theatre();
    stage.soundFromMs = 0;
    stage.run(2_000);
    // Its frame for the moment is there, but it would starve at once.
    stage.arrived = 2.3;
    stage.run(100);
    expect(stage.seeks).toEqual([]);
    stage.arrived = 3;
    stage.run(300);
    expect(stage.step.show).toBe(true);
  });

  test('aims further ahead when decoding took too long', () => {
    const stage = new Theatre();
    stage.soundFromMs = 0;
    stage.arrived = 20;
    stage.complete = true;
    stage.decodeMs = 600;
    stage.run(3_000);
    expect(stage.step.show).toBe(true);
    expect(stage.seeks.length).toBeLessThanOrEqual(3);
    expect(Math.abs(stage.offset)).toBeLessThan(0.05);
  });

  test('is left out when the reply is beyond its end', () => {
    const stage = new Theatre();
    stage.soundFromMs = -5_000;
    stage.arrived = 4;
    stage.complete = true;
    stage.run(500);
    expect(stage.step).toMatchObject({ clip: { is: 'loading' }, show: false });
  });
});

describe('a clip that runs', () => {
  test.each([-0.004, 0.004, 0.02])('is kept with the sound by nudges alone when its clock is off by %d', (skew) => {
    const stage = new Theatre();
    Object.assign(stage, { soundFromMs: 300, arrived: 70, complete: true, skew });
    stage.run(2_000);
    for (let i = 0; i < 100; i++) {
      stage.run(500);
      expect(Math.abs(stage.offset)).toBeLessThan(0.04);
    }
    expect(stage.seeks).toEqual([0]);
    expect(stage.rates.every((rate) => rate >= 0.94 && rate <= 1.06)).toBe(true);
  });

  test('is put in its place when the sound jumps', () => {
    const stage = new Theatre();
    Object.assign(stage, { soundFromMs: 100, arrived: 30, complete: true });
    stage.run(2_000);
    stage.soundFromMs = 1_000;
    stage.run(3_000);
    expect(stage.seeks).toHaveLength(2);
    expect(stage.step.show).toBe(true);
    expect(Math.abs(stage.offset)).toBeLessThan(0.04);
  });

  test('keeps its last frame while it starves for a moment, and catches up', () => {
    const stage = new Theatre();
    Object.assign(stage, { soundFromMs: 100, arrived: 2 });
    stage.run(2_400);
    expect(stage.step).toMatchObject({ clip: { is: 'starved' }, show: true });
    stage.arrived = 6;
    stage.run(400);
    expect(stage.step).toMatchObject({ clip: { is: 'running' }, show: true });
    expect(Math.abs(stage.offset)).toBeLessThan(0.05);
  });

  test('counts as starved when it stalls before the end of what is there', () => {
    const sight = { now: 9, heard: 2, from: 0, to: 1.8, complete: false, decoded: true, position: 1.7 };
    const { clip, pause } = followSound({ is: 'running', rate: 1, drift: 0, at: 1.7, since: 8.9 }, sight);
    expect({ clip, pause }).toEqual({ clip: { is: 'starved', since: 8.9 }, pause: true });
  });

  test('gives way to the loop when it starves for long, and comes back', () => {
    const stage = new Theatre();
    Object.assign(stage, { soundFromMs: 100, arrived: 2 });
    stage.run(3_500);
    expect(stage.step.show).toBe(false);
    stage.arrived = 9;
    stage.run(400);
    expect(stage.step.show).toBe(true);
  });

  test.each([0.06, 0.02])('gives way to the loop while the voice pauses for long, %d s before its end', (rest) => {
    const stage = new Theatre();
    Object.assign(stage, { soundFromMs: 100, arrived: 2, made: 2 - rest, stops: 2 - rest });
    stage.run(2_400);
    expect(stage.step.show).toBe(true);
    stage.run(1_000);
    expect(stage.step.show).toBe(false);
    Object.assign(stage, { soundFromMs: stage.ms - 1_900, arrived: 6, made: 6, stops: 6 });
    stage.run(600);
    expect(stage.step).toMatchObject({ clip: { is: 'running' }, show: true });
    expect(Math.abs(stage.offset)).toBeLessThan(0.05);
  });

  test('holds its last frame to the end of the reply when it is a little shorter', () => {
    const stage = new Theatre();
    Object.assign(stage, { soundFromMs: 100, arrived: 2, complete: true });
    stage.run(2_300);
    expect(stage.step.show).toBe(true);
    expect(stage.seeks).toEqual([0]);
  });
});
