import { describe, expect, it } from 'vitest';
import { pauseAfter, Retryable, retryAfterMs } from '../../../src/server/models/retry.ts';

describe('the pause before another try', () => {
  it('doubles from half a second to half a minute, a quarter more or less', () => {
    for (const [tries, ms] of [
      [1, 500],
      [2, 1_000],
      [5, 8_000],
      [20, 30_000],
    ] as const) {
      const pause = pauseAfter(tries, new Retryable('x'));
      expect(pause).toBeGreaterThanOrEqual(ms * 0.75);
      expect(pause).toBeLessThanOrEqual(ms * 1.25);
    }
    expect(pauseAfter(1, new Retryable('x', 90_000))).toBe(90_000);
  });

  it('is what the server says: seconds or a date, ten minutes at most', () => {
    expect(retryAfterMs('7')).toBe(7_000);
    expect(retryAfterMs('99999')).toBe(600_000);
    expect(retryAfterMs(new Date(Date.now() + 3_600_000).toUTCString())).toBe(600_000);
    expect(retryAfterMs('Wed, 21 Oct 2015 07:28:00 GMT')).toBe(0);
    expect(retryAfterMs('soon')).toBeUndefined();
    expect(retryAfterMs(null)).toBeUndefined();
  });
});
