import { describe, expect, it } from 'vitest';
import { fromHalf, toHalf } from '../../../src/server/weights/half.ts';

const half = (value: number) => toHalf(Float32Array.of(value))[0]!;

describe('16-bit floats', () => {
  it('keep every value that they have', () => {
    const all = Uint16Array.from({ length: 65_536 }, (_, i) => i).filter((i) => (i & 0x7c00) !== 0x7c00 || !(i & 1023));
    const kept = toHalf(fromHalf(all));
    expect(all.findIndex((bits, i) => bits !== kept[i])).toBe(-1);
  });

  it('are the nearest ones, the even one of two as near', () => {
    const random = (i: number) => Math.sin(i * 12.9898) * 10 ** ((i % 13) - 8);
    for (let i = 1; i < 20_000; i++) {
      const value = Math.fround(random(i));
      const bits = half(value);
      const error = Math.abs(fromHalf(Uint16Array.of(bits))[0]! - value);
      for (const near of [bits - 1, bits + 1]) {
        if ((near & 0x7c00) === 0x7c00 || near < 0 || (bits & 0x7fff) === 0) continue;
        expect(Math.abs(fromHalf(Uint16Array.of(near))[0]! - value)).toBeGreaterThanOrEqual(error);
      }
    }
    expect([half(1 + 2 ** -11), half(1 + 3 * 2 ** -11)]).toEqual([0x3c00, 0x3c02]);
    expect([half(2 ** -25), half(3 * 2 ** -25), half(2 ** -26)]).toEqual([0, 2, 0]);
  });

  it('become infinite, or stay no number, where they cannot hold a value', () => {
    expect([half(65_519), half(65_520), half(-1e9), half(Number.NaN) & 0x7fff]).toEqual([
      0x7bff, 0x7c00, 0xfc00, 0x7e00,
    ]);
  });
});
