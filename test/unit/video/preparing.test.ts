import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openBaseClip } from '../../../src/server/video/base/prepared.ts';
import {
  type BaseClip,
  type Face,
  type LipSync,
  type Picture,
  VideoError,
} from '../../../src/server/video/contracts.ts';
import type { News } from '../../../src/server/video/news.ts';
import { preparing } from '../../../src/server/video/preparing.ts';
import { scratchFolder } from '../../fixtures/video.ts';

const never = new AbortController().signal;
const point = { x: 0, y: 0 };
const [outerLips, innerLips, leftEye, rightEye, jaw] = [[point], [point], [point], [point], [point]];
const face: Face = { box: { ...point, width: 4, height: 4 }, outerLips, innerLips, leftEye, rightEye, jaw };

const codec = {
  async *decodeVideo(): AsyncGenerator<Picture> {
    for (const value of [1, 2, 3]) yield { width: 8, height: 8, rgb: new Uint8Array(3 * 64).fill(value) };
  },
};

type Prepare = NonNullable<LipSync['prepare']>;

function world(prepare?: Prepare) {
  const said: News[] = [];
  const lipSync = { ...(prepare && { prepare }) } as LipSync;
  return { said, ...preparing(codec, lipSync, (news) => said.push(news)) };
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const got: T[] = [];
  for await (const item of items) got.push(item);
  return got;
}

describe('preparing a base clip', () => {
  it('decodes it and lets the lip-sync prepare it, with one share for both', async () => {
    const { folder, remove } = await scratchFolder();
    const clip = join(folder, 'prepared');
    const seen: Partial<BaseClip>[] = [];
    const { prepare, makeReady, said } = world(async (base, onProgress) => {
      seen.push({ frames: base.frames, folder: base.folder! });
      onProgress(0.5);
    });
    const shares = await all(prepare('a.mp4', clip, { faces: [face] }, never));
    expect(shares.at(-1)).toBe(1);
    expect(shares.at(-2)).toBeCloseTo(0.6);
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect(await all(makeReady(clip, never))).toEqual([0.5, 1]);
    expect(seen).toEqual([
      { frames: 3, folder: clip },
      { frames: 3, folder: clip },
    ]);
    expect(said).toEqual([]);
    await remove();
  });

  it('leaves the clip usable where the lip-sync fails, and says why', async () => {
    const { folder, remove } = await scratchFolder();
    const clip = join(folder, 'prepared');
    const { prepare, said } = world(async () => {
      throw new VideoError('There is no CUDA; install it.');
    });
    expect((await all(prepare('a.mp4', clip, { faces: [face] }, never))).at(-1)).toBe(1);
    expect(said).toEqual([{ level: 'warn', text: 'There is no CUDA; install it.' }]);
    await using base = await openBaseClip(clip);
    expect(base.frames).toBe(3);
    await remove();
  });

  it('asks nothing of a lip-sync that prepares nothing', async () => {
    const { folder, remove } = await scratchFolder();
    const { prepare, makeReady } = world();
    expect((await all(prepare('a.mp4', join(folder, 'prepared'), { faces: [face] }, never))).at(-1)).toBe(1);
    expect(await all(makeReady(join(folder, 'is not there'), never))).toEqual([]);
    await remove();
  });

  it('ends quietly when it is no longer wanted', async () => {
    const { folder, remove } = await scratchFolder();
    const stop = new AbortController();
    const { prepare, said } = world(async () => {
      stop.abort();
      throw new VideoError('It was ended.');
    });
    const shares = await all(prepare('a.mp4', join(folder, 'prepared'), { faces: [face] }, stop.signal));
    expect(shares).not.toContain(1);
    expect(said).toEqual([]);
    await remove();
  });
});
