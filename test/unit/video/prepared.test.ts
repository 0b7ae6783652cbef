import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openBaseClip, PREPARED_SECONDS, prepareBaseClip } from '../../../src/server/video/base/prepared.ts';
import {
  type BaseClip,
  type BaseClipFacts,
  type Face,
  type Picture,
  VIDEO_FPS,
  VideoError,
} from '../../../src/server/video/contracts.ts';

const signal = new AbortController().signal;
let scratch: string;
let folder: string;
beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'voice-chat-prepared-'));
  folder = join(scratch, 'avatar', 'prepared');
});
afterEach(() => rm(scratch, { recursive: true, force: true }));

/** A face whose every part lies at `x`, so that a frame's face tells whose it is. */
const faceAt = (x: number, size = 10): Face => {
  const contour = [{ x, y: 1 }];
  const box = { x, y: 0, width: size, height: size };
  return { box, outerLips: contour, innerLips: contour, leftEye: [], rightEye: contour, jaw: contour };
};

/** `count` frames, each of one value: its number. */
async function* frames(count: number): AsyncGenerator<Picture> {
  for (let k = 0; k < count; k++) yield { width: 4, height: 2, rgb: new Uint8Array(24).fill(k) };
}

type FindFaces = (picture: Picture) => Promise<readonly Face[]>;
const none: FindFaces = async () => [];
const prepare = (count: number, find: FindFaces, facts: BaseClipFacts = {}, onFrame = (_: number) => {}) =>
  prepareBaseClip(frames(count), folder, facts, find, onFrame, signal);

async function opened<T>(use: (clip: BaseClip) => Promise<T>): Promise<T> {
  await using clip = await openBaseClip(folder);
  // Awaited here: what is returned is waited for only after the clip is closed.
  return await use(clip);
}
const places = () => opened(async (clip) => Array.from({ length: clip.frames }, (_, i) => clip.face(i).box.x));

describe('a prepared clip', () => {
  it('gives every frame as it was, in any order, and each caller one of its own', async () => {
    const told: number[] = [];
    await prepare(7, none, { faces: [0, 1, 2, 3, 4, 5, 6].map((x) => faceAt(x)) }, (done) => told.push(done));
    expect(told).toEqual([1, 2, 3, 4, 5, 6, 7]);
    await opened(async (clip) => {
      expect(clip).toMatchObject({ width: 4, height: 2, frames: 7 });
      for (const index of [0, 1, 2, 2, 6, 0, 3, 5, 4]) {
        const { rgb } = await clip.picture(index);
        expect([...rgb]).toEqual(Array(24).fill(index));
        rgb.fill(255);
        expect(clip.face(index).jaw).toEqual([{ x: index, y: 1 }]);
      }
      await expect(clip.picture(7)).rejects.toThrow(RangeError);
      expect(() => clip.face(-1)).toThrow(RangeError);
    });
  });

  it('goes back the way it came where it does not close', async () => {
    await prepare(4, none, { faces: [0, 1, 2, 3].map((x) => faceAt(x)), closes: false });
    const shown = await opened(async (clip) => {
      const values: number[] = [];
      for (let i = 0; i < clip.frames; i++) values.push((await clip.picture(i)).rgb[0]!);
      return values;
    });
    expect(shown).toEqual([0, 1, 2, 3, 2, 1]);
    expect(await places()).toEqual([0, 1, 2, 3, 2, 1]);
  });

  it('keeps the first ten seconds of a longer video', async () => {
    await prepare(PREPARED_SECONDS * VIDEO_FPS + 30, none, { faces: [faceAt(0)] });
    expect(await opened(async (clip) => clip.frames)).toBe(PREPARED_SECONDS * VIDEO_FPS);
  });

  it('follows a face that moves, also through frames that were not looked at', async () => {
    let looked = 0;
    await prepare(31, async ({ rgb }) => {
      looked++;
      return [faceAt(rgb[0]! * 2)];
    });
    expect(looked).toBeLessThan(20);
    const found = await places();
    // At the ends there is nothing to both sides, so the smoothing lags a little.
    for (const [i, x] of found.slice(6, 25).entries()) expect(x).toBeCloseTo((i + 6) * 2);
    for (const [i, x] of found.entries()) expect(Math.abs(x - i * 2)).toBeLessThan(3);
  });

  it('takes the trembling out of landmarks', async () => {
    let looked = 0;
    await prepare(60, async () => [faceAt(100 + (looked++ % 2 === 0 ? 4 : -4))]);
    const found = await places();
    for (const x of found.slice(4, -4)) expect(Math.abs(x - 100)).toBeLessThan(1);
  });

  it('takes the neighbours’ face where none is found', async () => {
    const find: FindFaces = async ({ rgb }) => (rgb[0]! >= 9 && rgb[0]! <= 15 ? [faceAt(50)] : []);
    await prepare(30, find);
    expect(await places()).toEqual(Array(30).fill(50));
  });

  it('stays with one face of several, from the largest on', async () => {
    await prepare(20, async ({ rgb }) => {
      const [other, followed] = [faceAt(300, 9), faceAt(100 + rgb[0]!, rgb[0]! === 0 ? 10 : 8)];
      return rgb[0]! % 2 === 0 ? [other, followed] : [followed, other];
    });
    for (const x of await places()) expect(x).toBeLessThan(130);
  });

  it('is not made of a video without a face, or without a picture, and leaves nothing', async () => {
    await expect(prepare(10, none)).rejects.toThrow(/No face was found/);
    await expect(prepare(0, none, { faces: [faceAt(0)] })).rejects.toThrow(VideoError);
    expect(await readdir(join(scratch, 'avatar'))).toEqual([]);
  });

  it('is made whole or not at all', async () => {
    const controller = new AbortController();
    const aborted = prepareBaseClip(
      frames(100),
      folder,
      { faces: [faceAt(0)] },
      none,
      (done) => done === 20 && controller.abort(),
      controller.signal,
    );
    await expect(aborted).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
    expect(await readdir(join(scratch, 'avatar'))).toEqual([]);
    await prepare(3, none, { faces: [faceAt(1)] });
    await prepare(5, none, { faces: [faceAt(2)] });
    expect(await places()).toEqual([2, 2, 2, 2, 2]);
    expect(await readdir(join(scratch, 'avatar'))).toEqual(['prepared']);
  });

  it('that is missing, cut short or of another version is a sentence that says what to do', async () => {
    await expect(openBaseClip(folder)).rejects.toThrow(/delete this folder/);
    await prepare(3, none, { faces: [faceAt(1)] });
    expect(existsSync(join(folder, 'frames.rgb'))).toBe(true);
    await truncate(join(folder, 'frames.rgb'), 50);
    await expect(openBaseClip(folder)).rejects.toThrow(VideoError);
    await prepare(3, none, { faces: [faceAt(1)] });
    await writeFile(join(folder, 'clip.json'), JSON.stringify({ version: 0 }));
    await expect(openBaseClip(folder)).rejects.toThrow(VideoError);
  });
});
