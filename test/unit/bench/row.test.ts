import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { percentile, spread } from '../../../src/bench/row.ts';

describe('percentile', () => {
  test('is by nearest rank, in whatever order the values come', () => {
    const values = [5, 1, 4, 2, 3];
    expect([0, 20, 21, 50, 99, 100].map((percent) => percentile(values, percent))).toEqual([1, 1, 2, 3, 5, 5]);
    expect(values).toEqual([5, 1, 4, 2, 3]);
  });

  test('orders numbers as numbers', () => {
    expect(percentile([10, 9, 100], 50)).toBe(10);
  });

  test('of no values is no number', () => {
    expect(percentile([], 50)).toBeNaN();
  });

  test('is one of the values, with at least so many per cent not above it and no smaller one that serves', () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 1 }), fc.integer({ min: 1, max: 100 }), (values, percent) => {
        const found = percentile(values, percent);
        const upTo = (limit: number) => values.filter((value) => value <= limit).length;
        expect(values).toContain(found);
        expect(upTo(found) * 100).toBeGreaterThanOrEqual(percent * values.length);
        const smaller = values.filter((value) => value < found);
        if (smaller.length > 0) expect(upTo(Math.max(...smaller)) * 100).toBeLessThan(percent * values.length);
      }),
    );
  });
});

describe('spread', () => {
  test('gives the ranks of a hundred values, and the worst', () => {
    const values = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect(spread(values)).toEqual({ n: 100, p50: 50, p90: 90, p95: 95, p99: 99, worst: 100 });
  });

  test('rounds to two decimals', () => {
    expect(spread([1.23456]).p50).toBe(1.23);
  });
});
