import { describe, expect, it } from 'vitest';
import { stillFrames } from '../../../src/server/video/base/still.ts';
import { LOOPS, type Picture, type Point } from '../../../src/server/video/contracts.ts';
import { copied, drawnFace, lightIn } from './drawn-face.ts';

async function all(frames: AsyncIterable<Picture>): Promise<Picture[]> {
  const pictures: Picture[] = [];
  for await (const frame of frames) pictures.push(frame);
  return pictures;
}

/** Mean difference of two pictures' values, of every seventh. */
function difference(a: Picture, b: Picture): number {
  let sum = 0;
  for (let i = 0; i < a.rgb.length; i += 7) sum += Math.abs(a.rgb[i]! - b.rgb[i]!);
  return (7 * sum) / a.rgb.length;
}

/** Where the pixels that are green, and nothing else, have their middle. */
function greenIn({ width, rgb }: Picture): Point {
  const sum = { x: 0, y: 0, weight: 0 };
  for (let i = 0; i < rgb.length; i += 3) {
    const weight = Math.max(0, rgb[i + 1]! - Math.max(rgb[i]!, rgb[i + 2]!) - 40);
    sum.x += weight * ((i / 3) % width);
    sum.y += weight * Math.floor(i / 3 / width);
    sum.weight += weight;
  }
  return { x: sum.x / sum.weight, y: sum.y / sum.weight };
}

describe('a still picture that lives', () => {
  it.each(LOOPS)('%s: begins as the picture, moves, and comes back to it', async (loop) => {
    const { picture, face } = drawnFace();
    const clip = stillFrames(picture, face, loop, 4);
    const frames = await all(clip.frames);
    expect(frames).toHaveLength(100);
    expect(clip.count).toBe(100);
    expect(clip.faces).toHaveLength(100);
    expect(Buffer.compare(frames[0]!.rgb, picture.rgb)).toBe(0);
    const away = frames.map((frame) => difference(frame, picture));
    expect(Math.max(...away)).toBeGreaterThan(0.4);
    // The step over the loop's end is no larger than those around it.
    const steps = frames.map((frame, i) => difference(frame, frames[(i + 1) % frames.length]!));
    expect(steps.at(-1)!).toBeLessThan(Math.max(...steps) / 4);
    expect(away.at(-1)!).toBeLessThan(Math.max(...away) / 10);
  });

  it('goes on for a reply as for a speaking body', async () => {
    const { picture, face } = drawnFace();
    const [reply, speaking] = [stillFrames(picture, face, 'reply', 1), stillFrames(picture, face, 'speaking-1', 1)];
    expect(reply.faces).toEqual(speaking.faces);
  });

  it('keeps the picture’s borders', async () => {
    const { picture, face } = drawnFace();
    const { width, height } = picture;
    for (const frame of await all(stillFrames(picture, face, 'speaking-2', 2).frames)) {
      const row = (y: number) => frame.rgb.subarray(y * width * 3, (y + 1) * width * 3);
      expect(Buffer.compare(row(0), picture.rgb.subarray(0, width * 3))).toBe(0);
      for (let y = 0; y < height; y++) expect(row(y).at(0)).toBe(picture.rgb[y * width * 3]);
    }
  });

  it('says where the face is in each frame', async () => {
    const { picture, face } = drawnFace();
    const mark = { x: 128, y: 150 };
    const marked = copied(picture);
    for (let y = -2; y <= 2; y++) {
      for (let x = -2; x <= 2; x++) marked.rgb.set([0, 255, 0], ((mark.y + y) * 256 + mark.x + x) * 3);
    }
    const clip = stillFrames(marked, { ...face, innerLips: [mark, ...face.innerLips.slice(1)] }, 'speaking-2', 4);
    const frames = await all(clip.frames);
    let furthest = 0;
    for (const [i, frame] of frames.entries()) {
      const [said, seen] = [clip.faces[i]!.innerLips[0]!, greenIn(frame)];
      expect(Math.hypot(said.x - seen.x, said.y - seen.y)).toBeLessThan(0.35);
      furthest = Math.max(furthest, Math.hypot(said.x - mark.x, said.y - mark.y));
    }
    expect(furthest).toBeGreaterThan(1);
  });

  it('blinks, not at its ends, and with both eyes', async () => {
    const { picture, face } = drawnFace();
    const frames = await all(stillFrames(picture, face, 'idle', 6).frames);
    const white = frames.map((frame) => [eyeWhite(frame, 90, 118), eyeWhite(frame, 138, 166)]);
    const [left, right] = white[0]!;
    const shut = white.flatMap(([a, b], i) => (a! < left! / 8 && b! < right! / 8 ? [i] : []));
    expect(shut.length).toBeGreaterThanOrEqual(2);
    expect(shut[0]!).toBeGreaterThan(10);
    expect(shut.at(-1)!).toBeLessThan(140);
    const oneEyed = white.filter(([a, b]) => a! < left! / 8 !== b! < right! / 8);
    expect(oneEyed.length).toBeLessThanOrEqual(1);
  });

  it('does not blink where no eyes were found', async () => {
    const { picture, face } = drawnFace();
    const frames = await all(stillFrames(picture, { ...face, leftEye: [], rightEye: [] }, 'idle', 6).frames);
    const whites = frames.map((frame) => eyeWhite(frame, 90, 118));
    expect(Math.min(...whites)).toBeGreaterThan(0.6 * whites[0]!);
  });

  it('can be gone through again', async () => {
    const { picture, face } = drawnFace();
    const { frames } = stillFrames(picture, face, 'idle', 2);
    const [first, second] = [await all(frames), await all(frames)];
    expect(difference(first[20]!, second[20]!)).toBe(0);
    expect(lightIn(first[20]!, 0, 0, 256, 256)).toBeGreaterThan(100);
  });
});

/** How many pixels about the eyes, between two columns, are as white as an eye. */
function eyeWhite({ width, rgb }: Picture, from: number, to: number): number {
  let count = 0;
  for (let y = 98; y < 128; y++) {
    for (let x = from; x < to; x++) if (rgb[(y * width + x) * 3 + 2]! > 215) count++;
  }
  return count;
}
