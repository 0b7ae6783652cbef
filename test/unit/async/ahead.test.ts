import { describe, expect, it } from 'vitest';
import { ahead } from '../../../src/server/async/ahead.ts';
import { settle } from '../../fixtures/video.ts';

/** Counts to `end`, and says in `made` how far it is, and when it has been left. */
async function* counting(made: (number | 'left')[], end: number, error?: Error): AsyncGenerator<number> {
  try {
    for (let i = 0; i < end; i++) {
      made.push(i);
      yield i;
    }
    if (error) throw error;
  } finally {
    made.push('left');
  }
}

describe('working ahead', () => {
  it('gives all in order', async () => {
    const taken: number[] = [];
    for await (const one of ahead(counting([], 5))) taken.push(one);
    expect(taken).toEqual([0, 1, 2, 3, 4]);
  });

  it('makes the next one while one is used, and no more', async () => {
    const made: (number | 'left')[] = [];
    const iterator = ahead(counting(made, 9));
    expect(made).toEqual([]);
    await iterator.next();
    await settle();
    expect(made).toEqual([0, 1]);
    await iterator.next();
    await settle();
    expect(made).toEqual([0, 1, 2]);
    await iterator.return();
    await settle();
    expect(made).toEqual([0, 1, 2, 'left']);
  });

  it('fails after what was made before, and with nobody left, silently', async () => {
    const taken: number[] = [];
    const take = async () => {
      for await (const one of ahead(counting([], 2, new Error('over')))) taken.push(one);
    };
    await expect(take()).rejects.toThrow('over');
    expect(taken).toEqual([0, 1]);
    for await (const _ of ahead(counting([], 1, new Error('unseen')))) break;
    await settle();
  });
});
