import { describe, expect, test } from 'vitest';
import { speechBounds } from '../../../src/bench/speech-set.ts';
import { seeded } from '../../../src/server/engines/builtin/random.ts';

const RATE = 16_000;
const random = seeded(7);

/** Stretches of noise, each of a length in milliseconds and an amplitude. */
function sound(...parts: [ms: number, amplitude: number][]): Float32Array {
  return Float32Array.from(
    parts.flatMap(([ms, amplitude]) =>
      Array.from({ length: (ms * RATE) / 1000 }, () => amplitude * (2 * random() - 1)),
    ),
  );
}

const ms = ({ onset, end }: { onset: number; end: number }) => ({
  onset: (onset * 1000) / RATE,
  end: (end * 1000) / RATE,
});

describe('speechBounds', () => {
  test('finds speech between silences to a window', () => {
    expect(ms(speechBounds(sound([500, 0], [800, 0.3], [400, 0])))).toEqual({ onset: 500, end: 1300 });
  });

  test('is not misled by a background that is not far below the speech', () => {
    // 17 dB: nearer to the loud parts than speech is allowed to be.
    expect(ms(speechBounds(sound([500, 0.04], [800, 0.3], [400, 0.04])))).toEqual({ onset: 500, end: 1300 });
  });

  test('passes over a click before the speech and a breath after it', () => {
    const bounds = speechBounds(
      sound([200, 0.001], [120, 0.3], [300, 0.001], [800, 0.3], [300, 0.001], [80, 0.1], [90, 0.001]),
    );
    expect(ms(bounds)).toEqual({ onset: 620, end: 1420 });
  });

  test('keeps a short gap inside speech', () => {
    expect(ms(speechBounds(sound([200, 0.001], [300, 0.3], [200, 0.001], [400, 0.3], [200, 0.001])))).toEqual({
      onset: 200,
      end: 1100,
    });
  });

  test('takes all of a recording that is nothing but speech, or nothing at all', () => {
    expect(ms(speechBounds(sound([500, 0.3])))).toEqual({ onset: 0, end: 500 });
    expect(speechBounds(new Float32Array(0))).toEqual({ onset: 0, end: 0 });
  });
});
