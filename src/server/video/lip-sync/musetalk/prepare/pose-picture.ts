import type { Picture } from '../../../contracts.ts';
import { POSE_HEIGHT, POSE_WIDTH } from '../networks.ts';

/** The part of a picture that the pose network sees, in the picture's pixels; of the network's own proportions. */
export type PoseView = {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
};

/** How much is shown around the picture, which is taken for one person's box. */
const PADDING = 1.25;
/** Means and deviations of red, green and blue in the pictures that the network learned from. */
const MEANS = [123.675, 116.28, 103.53] as const;
const DEVIATIONS = [58.395, 57.12, 57.375] as const;

/** What the pose network sees of a picture of that size: all of it in the middle, and room around it (DWPose's top-down rules). */
export function poseView(width: number, height: number): PoseView {
  // The reference keeps these in 32 bits, and cuts off fractions later: a rounding more can be a pixel.
  const wide = Math.fround(width * PADDING);
  const high = Math.fround(height * PADDING);
  const aspect = POSE_WIDTH / POSE_HEIGHT;
  const isWide = wide > Math.fround(high * aspect);
  const side = isWide ? wide : Math.fround(high * aspect);
  const upright = isWide ? Math.fround(wide / aspect) : high;
  return { x: width / 2 - side / 2, y: height / 2 - upright / 2, width: side, height: upright };
}

/** The picture as the pose network takes it, [3, 384, 288]: bilinear between its pixels, black beyond its edges. */
export function posePlanes(picture: Picture): Float32Array {
  const { width, height, rgb } = picture;
  const view = poseView(width, height);
  const step = view.width / POSE_WIDTH;
  const columns = taps(width / 2 - (POSE_WIDTH / 2) * step, step, POSE_WIDTH, width);
  const rows = taps(height / 2 - (POSE_HEIGHT / 2) * step, step, POSE_HEIGHT, height);
  const count = POSE_WIDTH * POSE_HEIGHT;
  const planes = new Float32Array(3 * count);
  const levels = MEANS.map((mean, c) => Float32Array.from({ length: 256 }, (_, v) => (v - mean) / DEVIATIONS[c]!));
  for (let y = 0; y < POSE_HEIGHT; y++) {
    const row = rows[y]!;
    const above = 3 * width * row.at;
    const below = 3 * width * row.next;
    for (let x = 0; x < POSE_WIDTH; x++) {
      const { at, next, first, second } = columns[x]!;
      const to = y * POSE_WIDTH + x;
      for (let c = 0; c < 3; c++) {
        const left = 3 * at + c;
        const right = 3 * next + c;
        const upper = first * rgb[above + left]! + second * rgb[above + right]!;
        const lower = first * rgb[below + left]! + second * rgb[below + right]!;
        planes[c * count + to] = levels[c]![Math.round(row.first * upper + row.second * lower)]!;
      }
    }
  }
  return planes;
}

/** The mirror image of what `posePlanes` gives. */
export function mirroredPlanes(planes: Float32Array): Float32Array {
  const mirrored = planes.slice();
  for (let at = 0; at < mirrored.length; at += POSE_WIDTH) mirrored.subarray(at, at + POSE_WIDTH).reverse();
  return mirrored;
}

/** Two pixels of a line, and how much of each: nothing of what lies beyond its ends. */
type Taps = { readonly at: number; readonly next: number; readonly first: number; readonly second: number };

function taps(start: number, step: number, count: number, length: number): Taps[] {
  const within = (index: number) => Math.min(Math.max(index, 0), length - 1);
  const part = (index: number, share: number) => (index >= 0 && index < length ? share : 0);
  return Array.from({ length: count }, (_, i) => {
    const place = start + i * step;
    const at = Math.floor(place);
    const share = place - at;
    return { at: within(at), next: within(at + 1), first: part(at, 1 - share), second: part(at + 1, share) };
  });
}
