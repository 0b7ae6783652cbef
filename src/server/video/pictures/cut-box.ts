import type { Box, Picture } from '../contracts.ts';

/** A copy of the pixels in `box`, which has whole numbers and lies within the picture. */
export function cutBox({ width, rgb }: Picture, box: Box): Picture {
  const out = new Uint8Array(3 * box.width * box.height);
  for (let row = 0; row < box.height; row++) {
    const from = 3 * ((box.y + row) * width + box.x);
    out.set(rgb.subarray(from, from + 3 * box.width), 3 * row * box.width);
  }
  return { width: box.width, height: box.height, rgb: out };
}
