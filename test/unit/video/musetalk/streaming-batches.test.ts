import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BATCHES } from '../../../../src/server/video/lip-sync/musetalk/networks.ts';
import { nextBatch, type Standing } from '../../../../src/server/video/lip-sync/musetalk/speech/batches.ts';

const standing: Standing = { ready: 0, isFirst: false, isIdle: true, isPaused: false, isOver: false };

/** What may happen to a reply; `isFree` tells what of it the painter gives room for. */
const event = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('speech' as const), frames: fc.nat(12) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('painted' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pause' as const) }) },
);

describe('the batches of a reply', () => {
  it('have every frame exactly once and in order, in sizes that there are, whatever happens when', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        let [ready, taken, painting] = [0, 0, 0];
        const take = (isPaused: boolean, isOver: boolean) => {
          // As the pipeline: one batch is painted, and the next one waits for it.
          while (painting < 2) {
            const batch = nextBatch({
              ready: ready - taken,
              isFirst: taken === 0,
              isIdle: painting === 0,
              isPaused,
              isOver,
            });
            if (!batch) break;
            expect(BATCHES).toContain(batch.size);
            expect(batch.frames).toBeGreaterThan(0);
            expect(batch.frames).toBeLessThanOrEqual(batch.size);
            if (taken === 0) expect(batch.size).toBeLessThanOrEqual(4);
            taken += batch.frames;
            painting++;
          }
          expect(taken).toBeLessThanOrEqual(ready);
          // The first batch never waits for more than 4, nor any for more than 8.
          if (taken === 0) expect(ready).toBeLessThan(4);
          if (painting < 2) expect(ready - taken).toBeLessThan(8);
          if (painting === 0) expect(ready - taken).toBeLessThan(4);
        };
        for (const one of events) {
          if (one.kind === 'speech') ready += one.frames;
          if (one.kind === 'painted') painting = Math.max(0, painting - 1);
          take(one.kind === 'pause', false);
          if (one.kind === 'pause' && painting === 0) expect(taken).toBe(ready);
        }
        for (let i = 0; taken < ready || painting > 0; i++) {
          expect(i).toBeLessThan(1_000);
          take(false, true);
          painting = Math.max(0, painting - 1);
        }
        expect(taken).toBe(ready);
      }),
    );
  });

  it('begin with four, and with fewer only where there are no more', () => {
    const first = { ...standing, isFirst: true };
    expect(nextBatch({ ...first, ready: 100 })).toEqual({ frames: 4, size: 4 });
    expect(nextBatch({ ...first, ready: 3 })).toBeUndefined();
    expect(nextBatch({ ...first, ready: 1, isPaused: true })).toEqual({ frames: 1, size: 1 });
    expect(nextBatch({ ...first, ready: 3, isOver: true })).toEqual({ frames: 3, size: 4 });
  });

  it('are full while speech comes faster than it is painted', () => {
    for (const isIdle of [true, false]) {
      expect(nextBatch({ ...standing, ready: 40, isIdle })).toEqual({ frames: 8, size: 8 });
    }
    expect(nextBatch({ ...standing, ready: 7, isIdle: false })).toBeUndefined();
  });

  it('are small rather than late while nothing is painted', () => {
    expect(nextBatch({ ...standing, ready: 7 })).toEqual({ frames: 4, size: 4 });
    expect(nextBatch({ ...standing, ready: 3 })).toBeUndefined();
    expect(nextBatch({ ...standing, ready: 3, isPaused: true })).toEqual({ frames: 3, size: 4 });
    expect(nextBatch({ ...standing, ready: 3, isPaused: true, isIdle: false })).toBeUndefined();
  });

  it('end with the smallest that holds the rest', () => {
    const over = { ...standing, isOver: true };
    const sizes = [1, 2, 4, 5, 8, 9].map((ready) => nextBatch({ ...over, ready }));
    expect(sizes.map((batch) => batch?.size)).toEqual([1, 4, 4, 8, 8, 8]);
    expect(sizes.map((batch) => batch?.frames)).toEqual([1, 2, 4, 5, 8, 8]);
    expect(nextBatch(over)).toBeUndefined();
  });
});
