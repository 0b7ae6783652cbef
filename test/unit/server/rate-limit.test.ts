import { describe, expect, it } from 'vitest';
import { RateLimit } from '../../../src/server/rate-limit.ts';

describe('a rate limit', () => {
  it('takes back what was taken for nothing, up to what it holds', () => {
    const limit = new RateLimit(2, 0, () => 0);
    expect([limit.take(1), limit.take(1), limit.take(1)]).toEqual([true, true, false]);
    limit.give(1);
    expect([limit.take(1), limit.take(1)]).toEqual([true, false]);
    limit.give(100);
    expect([limit.take(2), limit.take(1)]).toEqual([true, false]);
  });
});
