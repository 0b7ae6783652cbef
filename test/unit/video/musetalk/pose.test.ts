import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Picture, Point } from '../../../../src/server/video/contracts.ts';
import {
  POSE_HEIGHT,
  POSE_POINTS,
  POSE_SPLIT,
  POSE_WIDTH,
} from '../../../../src/server/video/lip-sync/musetalk/networks.ts';
import {
  facePoints,
  findFacePoints,
  type PoseScores,
} from '../../../../src/server/video/lip-sync/musetalk/prepare/pose.ts';
import { mirroredPlanes, posePlanes } from '../../../../src/server/video/lip-sync/musetalk/prepare/pose-picture.ts';
import { markedPicture, openMarkFinder } from '../../../fixtures/musetalk/pose-network.ts';

const folder = new URL('../../../fixtures/musetalk/pose/', import.meta.url);
const signal = new AbortController().signal;
const SIZES = [
  [64, 40],
  [51, 133],
  [512, 512],
] as const;
const DEVIATIONS = [58.395, 57.12, 57.375];

/** The picture of pose.py, by the same formula. */
function picture(width: number, height: number): Picture {
  const rgb = new Uint8Array(3 * width * height);
  for (let i = 0; i < rgb.length; i++) {
    const at = Math.floor(i / 3);
    rgb[i] = (((at % width) * 7_919 + Math.floor(at / width) * 104_729 + (i % 3) * 15_485_863) % 10_007) % 256;
  }
  return { width, height, rgb };
}

/** The scores of pose.py, by the same formula. */
function scores(bins: number, seed: number): Float32Array {
  return Float32Array.from({ length: POSE_POINTS * bins }, (_, i) => {
    const point = Math.floor(i / bins);
    const value = ((point * 7_919 + (i % bins) ** 2 * 104_729 + seed * 15_485_863) % 10_007) - 5_003;
    return (point % 9 === 4 ? -Math.abs(value) - 1 : value) / 8_192;
  });
}

const BINS_X = POSE_WIDTH * POSE_SPLIT;
const BINS_Y = POSE_HEIGHT * POSE_SPLIT;

describe('what the pose network sees', () => {
  it.each(SIZES)('of %i x %i pixels is what OpenCV makes of it, to 1/255', (width, height) => {
    const bytes = readFileSync(new URL(`seen-${width}x${height}.f32`, folder));
    const expected = new Float32Array(new Uint8Array(bytes).buffer);
    const planes = posePlanes(picture(width, height));
    let worst = 0;
    let at = 0;
    for (let y = 0; y < POSE_HEIGHT; y += 11) {
      for (let x = 0; x < POSE_WIDTH; x += 7) {
        for (let c = 0; c < 3; c++, at++) {
          const ours = planes[(c * POSE_HEIGHT + y) * POSE_WIDTH + x]!;
          worst = Math.max(worst, Math.abs(ours - expected[at]!) * DEVIATIONS[c]!);
        }
      }
    }
    expect(at).toBe(expected.length);
    expect(worst).toBeLessThan(1.001);
  });

  it('is mirrored column by column', () => {
    const planes = posePlanes(picture(64, 40));
    const mirrored = mirroredPlanes(planes);
    const turned = planes.map((_, i) => planes[i - (i % POSE_WIDTH) + POSE_WIDTH - 1 - (i % POSE_WIDTH)]!);
    expect(Buffer.compare(Buffer.from(turned.buffer), Buffer.from(mirrored.buffer))).toBe(0);
  });
});

describe('the points of a face', () => {
  const found = JSON.parse(readFileSync(new URL('points.json', folder), 'utf8')) as Record<string, [number, number][]>;
  const straight = { x: scores(BINS_X, 1), y: scores(BINS_Y, 2) };
  const mirrored = { x: scores(BINS_X, 3), y: scores(BINS_Y, 4) };

  it.each(SIZES)('in %i x %i pixels are those of the reference', (width, height) => {
    const expected = found[`${width}x${height}`]!;
    const points = facePoints(straight, mirrored, width, height);
    expect(points).toHaveLength(68);
    for (const [i, { x, y }] of points.entries()) {
      expect(x).toBeCloseTo(expected[i]![0], 9);
      expect(y).toBeCloseTo(expected[i]![1], 9);
    }
  });

  const blank = (): PoseScores => ({
    x: new Float32Array(POSE_POINTS * BINS_X),
    y: new Float32Array(POSE_POINTS * BINS_Y),
  });

  it('lies left of the picture where a point was not seen along one of the axes', () => {
    const seen = blank();
    seen.x[(23 + 8) * BINS_X + 288] = 1;
    seen.x[(23 + 27) * BINS_X + 288] = 1;
    seen.y[(23 + 27) * BINS_Y + 384] = 1;
    const points = facePoints(seen, blank(), 100, 100);
    expect(points[27]).toEqual({ x: 50, y: 50 });
    expect(points[8]!.x).toBeLessThan(0);
    expect(points.filter(({ x }) => x < 0)).toHaveLength(67);
  });

  it('is where its score is highest first', () => {
    const seen = blank();
    for (const at of [300, 310]) seen.x[(23 + 27) * BINS_X + at] = 0.5;
    for (const at of [400, 200]) seen.y[(23 + 27) * BINS_Y + at] = 0.5;
    const [x, y] = [facePoints(seen, blank(), 288, 384)[27]!.x, facePoints(seen, blank(), 288, 384)[27]!.y];
    expect(x).toBeCloseTo((300 / 2) * 1.25 - 36, 4);
    expect(y).toBeCloseTo((200 / 2) * 1.25 - 48, 4);
  });

  /** Sixty-eight places that differ, left points left of their twins. */
  const places = (left: number, top: number, step: number): Point[] => {
    const order = [...jaw, ...brows, ...middle];
    return Array.from({ length: 68 }, (_, i) => {
      const at = order.indexOf(i);
      return { x: left + step * (at % 9), y: top + step * Math.floor(at / 9) };
    });
  };
  // Row by row of nine; in each row twins stand from the outside to the inside.
  const jaw = [0, 1, 2, 3, 8, 13, 14, 15, 16, 4, 5, 6, 7, 57, 9, 10, 11, 12];
  const brows = [
    17, 18, 19, 20, 27, 23, 24, 25, 26, 36, 37, 38, 21, 28, 22, 43, 44, 45, 41, 40, 39, 31, 29, 35, 42, 47, 46,
  ];
  const middle = [32, 48, 49, 50, 30, 52, 53, 54, 34, 59, 58, 60, 61, 33, 63, 64, 56, 55, 67, 51, 65, 62, 66];

  it.each([
    { name: 'a wide picture', width: 400, height: 300, left: 120, top: 30, step: 22, reach: 4 },
    { name: 'a tall picture', width: 200, height: 512, left: 15, top: 200, step: 21, reach: 4 },
    { name: 'a base clip', width: 512, height: 512, left: 140, top: 90, step: 30, reach: 5 },
  ])('are found by a network in $name, where they are', async ({ width, height, left, top, step, reach }) => {
    await using network = await openMarkFinder();
    const marks = places(left, top, step);
    const points = await findFacePoints(network, markedPicture(width, height, marks, reach), signal);
    // A mark is a square: any of its places will do, and one pixel of what the network sees beside it.
    const near = reach + Math.max(width * 1.25, height * 1.25 * 0.75) / POSE_WIDTH;
    for (const [i, { x, y }] of points.entries()) {
      expect(Math.abs(x - marks[i]!.x), `x of point ${i}`).toBeLessThanOrEqual(near);
      expect(Math.abs(y - marks[i]!.y), `y of point ${i}`).toBeLessThanOrEqual(near);
    }
  });

  it('are not looked for once the signal has aborted', async () => {
    const pose = () => Promise.reject(new Error('asked'));
    const gone = new AbortController();
    gone.abort(new Error('no longer wanted'));
    await expect(findFacePoints({ pose }, picture(8, 8), gone.signal)).rejects.toThrow('no longer wanted');
  });
});
