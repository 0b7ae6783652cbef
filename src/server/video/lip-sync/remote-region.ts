import type { BaseClip, Box, Picture } from '../contracts.ts';
import { cutBox } from '../pictures/cut-box.ts';

/**
 * How much of the face's own size a lip-sync may want to see beside it: MuseTalk parses a square half as large again as what it
 * paints, and finds landmarks best where it sees hair and shoulders.
 */
const AROUND = { side: 0.6, above: 0.5, below: 0.6 };

/** The part of all pictures of `base` that a lip-sync may want to see: the faces, wherever they are, and what is around them. */
export function faceRegion(base: BaseClip): Box {
  let [left, top, right, bottom] = [base.width, base.height, 0, 0];
  for (let i = 0; i < base.frames; i++) {
    const { box } = base.face(i);
    left = Math.min(left, box.x - AROUND.side * box.width);
    top = Math.min(top, box.y - AROUND.above * box.height);
    right = Math.max(right, box.x + (1 + AROUND.side) * box.width);
    bottom = Math.max(bottom, box.y + (1 + AROUND.below) * box.height);
  }
  const [x, y] = [Math.max(0, Math.floor(left)), Math.max(0, Math.floor(top))];
  return {
    x,
    y,
    width: Math.min(base.width, Math.ceil(right)) - x,
    height: Math.min(base.height, Math.ceil(bottom)) - y,
  };
}

/** The smallest rectangle that holds all pixels in which two pictures of one size differ; of no size when there are none. */
export function changed(before: Uint8Array, after: Uint8Array, width: number): Box {
  const height = before.length / 3 / width;
  const row = 3 * width;
  const differs = (y: number) =>
    Buffer.compare(before.subarray(y * row, (y + 1) * row), after.subarray(y * row, (y + 1) * row)) !== 0;
  let top = 0;
  while (top < height && !differs(top)) top++;
  if (top === height) return { x: 0, y: 0, width: 0, height: 0 };
  let bottom = height;
  while (!differs(bottom - 1)) bottom--;
  let [left, right] = [row, 0];
  for (let y = top; y < bottom; y++) {
    const at = y * row;
    let first = 0;
    while (first < left && before[at + first] === after[at + first]) first++;
    left = Math.min(left, first);
    let last = row - 1;
    while (last >= right && before[at + last] === after[at + last]) last--;
    right = Math.max(right, last + 1);
  }
  const x = Math.floor(left / 3);
  return { x, y: top, width: Math.ceil(right / 3) - x, height: bottom - top };
}

/** The pixels of `after` in `box`, less those of `before`, modulo 256. */
export function difference(before: Picture, after: Picture, box: Box): Uint8Array {
  const [old, out] = [cutBox(before, box).rgb, cutBox(after, box).rgb];
  for (let i = 0; i < out.length; i++) out[i] = out[i]! - old[i]!;
  return out;
}

/** Adds what `difference` gave to the pixels in `box`. */
export function add({ width, rgb }: Picture, box: Box, values: Uint8Array): void {
  for (let row = 0, from = 0; row < box.height; row++) {
    const to = 3 * ((box.y + row) * width + box.x);
    for (let i = 0; i < 3 * box.width; i++) rgb[to + i] = rgb[to + i]! + values[from++]!;
  }
}
