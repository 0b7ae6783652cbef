import { describe, expect, test } from 'vitest';
import {
  cropQuery,
  fitted,
  middleSquare,
  moved,
  type Square,
  scaled,
  squareAround,
} from '../../../src/client/crop-square.ts';
import { HeardClock } from '../../../src/client/heard-clock.ts';
import { chooseLoops } from '../../../src/client/loop-choice.ts';
import { ReplyTurns } from '../../../src/client/reply-turns.ts';

describe('which loop is seen', () => {
  const all = { idle: 'i', listening: 'l', thinking: 't', 'speaking-1': 's', 'speaking-2': 's2' };

  test.each([
    ['idle', 'idle', 'listening'],
    ['muted', 'idle', 'listening'],
    ['listening', 'listening', 'thinking'],
    ['hearing', 'listening', 'thinking'],
    ['thinking', 'thinking', 'listening'],
    ['speaking', 'listening', 'idle'],
  ] as const)('while %s it is %s, and %s is made ready', (phase, now, next) => {
    const chosen = chooseLoops(phase, all);
    expect([chosen.now?.name, chosen.next?.name]).toEqual([now, next]);
  });

  test('one that is there stands in for one that is not yet', () => {
    expect(chooseLoops('thinking', { idle: 'i', 'speaking-1': 's' })).toEqual({
      now: { name: 'idle', url: 'i' },
      next: undefined,
    });
  });

  test('a body that speaks is never shown with a mouth that does not', () => {
    expect(chooseLoops('speaking', { 'speaking-1': 's' })).toEqual({ now: undefined, next: undefined });
  });
});

describe('what of a reply is heard', () => {
  const report = (turn: number, samples: number, atMs: number, bufferedMs = 500) => ({
    turn,
    samples,
    atMs,
    bufferedMs,
  });

  test('goes on between two reports, and is negative before the first sample has left the loudspeaker', () => {
    const clock = new HeardClock(1000);
    expect(clock.at(0)).toBeUndefined();
    clock.report(report(1, 40, 140));
    expect(clock.at(90)).toEqual({ turn: 1, seconds: -0.01 });
    expect(clock.at(190)?.seconds).toBeCloseTo(0.09);
    expect(clock.beganMs(1)).toBe(100);
    expect(clock.beganMs(2)).toBeUndefined();
  });

  test('stops where the sound runs out, and goes on where it comes back', () => {
    const clock = new HeardClock(1000);
    clock.report(report(1, 200, 300, 50));
    expect(clock.at(1_000)?.seconds).toBeCloseTo(0.25);
    clock.report(report(1, 290, 1_040));
    expect(clock.at(1_000)?.seconds).toBeCloseTo(0.25);
  });

  test('is hardly moved by one report that came late', () => {
    const clock = new HeardClock(1000);
    for (let i = 1; i <= 10; i++) clock.report(report(1, i * 40, i * 40));
    clock.report(report(1, 440, 460));
    expect(clock.at(440)?.seconds).toBeCloseTo(0.437);
  });

  test('follows the newest turn only', () => {
    const clock = new HeardClock(1000);
    clock.report(report(2, 100, 1_000));
    clock.report(report(1, 900, 1_010));
    expect(clock.at(1_000)).toEqual({ turn: 2, seconds: 0.1 });
  });
});

describe('whose clip may be shown', () => {
  test('that of the newest reply, until it is cut or over', () => {
    const turns = new ReplyTurns();
    turns.saw(1);
    expect(turns.live(1)).toBe(true);
    turns.saw(2);
    expect([turns.live(1), turns.live(2)]).toEqual([false, true]);
    turns.end(1);
    expect(turns.live(2)).toBe(true);
    turns.end();
    expect([turns.live(2), turns.live(3)]).toEqual([false, true]);
    turns.reset();
    expect(turns.live(1)).toBe(true);
  });
});

describe('the square cut out of a picture', () => {
  const picture = { width: 800, height: 400 };
  const inside = ({ x, y, size }: Square) => x >= 0 && y >= 0 && x + size <= 800 && y + size <= 400;

  test('is the middle of a picture without a face', () => {
    expect(middleSquare(picture)).toEqual({ x: 200, y: 0, size: 400 });
    expect(cropQuery(middleSquare(picture), picture)).toBe('0.25000,0.00000,0.50000');
  });

  test('has the face in it with room around', () => {
    const square = squareAround({ x: 300, y: 150, width: 80, height: 100 }, picture);
    expect(inside(square)).toBe(true);
    expect(square.size).toBeCloseTo(220);
    expect(square.x).toBeCloseTo(230);
  });

  test('stays in the picture however it is moved and resized', () => {
    let square: Square = { x: 700, y: 300, size: 100 };
    for (const [right, down, by] of [
      [0.5, 0.5, 3],
      [-2, 0.1, 0.01],
      [0, -1, 10],
    ] as const) {
      square = scaled(moved(square, right, down, picture), by, picture);
      expect(inside(square)).toBe(true);
      expect(square.size).toBeGreaterThanOrEqual(64);
    }
    expect(fitted({ x: -5, y: 900, size: 5_000 }, picture)).toEqual({ x: 0, y: 0, size: 400 });
  });
});
