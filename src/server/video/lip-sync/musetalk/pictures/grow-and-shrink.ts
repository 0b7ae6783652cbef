import { nearestEven } from './nearest-even.ts';

/** A shape around a pixel: in the row `down` below it, from `from` to `to` to its right, both of them too. */
export type Shape = readonly { readonly down: number; readonly from: number; readonly to: number }[];

/** OpenCV's ellipse of odd width and height around a pixel (MORPH_ELLIPSE). */
export function ellipse(width: number, height: number): Shape {
  const [across, half] = [width >> 1, height >> 1];
  return Array.from({ length: height }, (_, row) => {
    const down = row - half;
    const reach = half === 0 ? across : nearestEven(across * Math.sqrt((half * half - down * down) / (half * half)));
    return { down, from: -reach, to: reach };
  });
}

/** A mask of 0 and 255 that is 255 wherever the shape around a pixel touches some of it, as OpenCV's dilate. */
export function grow(mask: Uint8Array, width: number, height: number, shape: Shape): Uint8Array {
  return touched(mask, width, height, shape, 255);
}

/** A mask of 0 and 255 that stays 255 where the whole shape lies in it, as far as it lies in the picture, as OpenCV's erode. */
export function shrink(mask: Uint8Array, width: number, height: number, shape: Shape): Uint8Array {
  return touched(mask, width, height, shape, 0);
}

/** Spreads the pixels of one value over the shape around them; beyond the edges there are none. */
function touched(mask: Uint8Array, width: number, height: number, shape: Shape, value: 0 | 255): Uint8Array {
  const [left, right] = [Math.max(0, ...shape.map(({ from }) => -from)), Math.max(0, ...shape.map(({ to }) => to))];
  // How many there are left of each place of a row, so that any stretch of it takes two looks; also beyond its ends.
  const length = left + width + 1 + right;
  const before = new Int32Array(length * height);
  for (let y = 0, at = 0; y < height; y++, at += length) {
    let count = 0;
    for (let x = 0; x < width; x++) {
      if (mask[y * width + x] === value) count++;
      before[at + left + x + 1] = count;
    }
    before.fill(count, at + left + width + 1, at + length);
  }
  const out = new Uint8Array(width * height).fill(255 - value);
  for (let y = 0; y < height; y++) {
    for (const { down, from, to } of shape) {
      if (y + down < 0 || y + down >= height) continue;
      const row = (y + down) * length;
      if (before[row + length - 1] === 0) continue;
      let start = row + left + from;
      let end = row + left + to + 1;
      for (let i = y * width; i < (y + 1) * width; i++) {
        if (before[start++] !== before[end++]) out[i] = value;
      }
    }
  }
  return out;
}
