import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { STATES } from '../../../../src/server/video/lip-sync/musetalk/networks.ts';
import { frameStates, readyFrames, tokensOf } from '../../../../src/server/video/lip-sync/musetalk/speech/windows.ts';

const WIDTH = 2;
const TOKEN = STATES * WIDTH;

/** The states of `count` tokens, all different and none 0. */
const numbered = (count: number) => Float32Array.from({ length: count * TOKEN }, (_, i) => i + 1);

describe('what a frame hears', () => {
  it('is 80 ms before its begin and 120 ms after it, in tokens of 20 ms', () => {
    expect(tokensOf(0)).toEqual({ from: -4, to: 6 });
    expect(tokensOf(10)).toEqual({ from: 16, to: 26 });
  });

  it('is there once 120 ms after its begin were said, not a sample sooner', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000 }), (frame) => {
        const samples = (frame * 0.04 + 0.12) * 16_000;
        expect(readyFrames(Math.round(samples))).toBe(frame + 1);
        expect(readyFrames(Math.round(samples) - 1)).toBe(frame);
      }),
    );
    expect(readyFrames(0)).toBe(0);
  });

  it('are its own ten tokens, in their order, and zeros before the first and after the last', () => {
    fc.assert(
      fc.property(
        fc.record({ tokens: fc.nat(60), first: fc.nat(40), count: fc.integer({ min: 1, max: 8 }) }),
        ({ tokens, first, count }) => {
          const all = numbered(tokens);
          const from = Math.min(tokens, Math.max(0, tokensOf(first).from));
          const out = frameStates(all.subarray(from * TOKEN), from, first, count, WIDTH);
          expect(out.length).toBe(count * 10 * TOKEN);
          for (let i = 0; i < out.length; i++) {
            const frame = first + Math.floor(i / (10 * TOKEN));
            const token = 2 * frame - 4 + (Math.floor(i / TOKEN) % 10);
            expect(out[i]).toBe(token < 0 || token >= tokens ? 0 : token * TOKEN + (i % TOKEN) + 1);
          }
        },
      ),
    );
  });

  it('does not change when tokens outside of its window do', () => {
    const before = numbered(60);
    const { from, to } = tokensOf(12);
    const after = before.map((value, i) => (i >= from * TOKEN && i < to * TOKEN ? value : -value));
    expect(frameStates(after, 0, 12, 1, WIDTH)).toEqual(frameStates(before, 0, 12, 1, WIDTH));
    const oneInside = before.map((value, i) => (i === to * TOKEN - 1 ? -value : value));
    expect(frameStates(oneInside, 0, 12, 1, WIDTH)).not.toEqual(frameStates(before, 0, 12, 1, WIDTH));
  });
});
