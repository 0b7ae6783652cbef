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
  // How many there are left of each place of a row, so that any stretch of it takes two looks.
  const before = new Int32Array((width + 1) * height);
  for (let y = 0; y < height; y++) {
    const row = y * (width + 1);
    for (let x = 0; x < width; x++) before[row + x + 1] = before[row + x]! + (mask[y * width + x] === value ? 1 : 0);
  }
  const out = new Uint8Array(width * height).fill(255 - value);
  for (let y = 0; y < height; y++) {
    for (const { down, from, to } of shape) {
      if (y + down < 0 || y + down >= height) continue;
      const row = (y + down) * (width + 1);
      if (before[row + width] === 0) continue;
      for (let x = 0; x < width; x++) {
        const start = Math.min(width, Math.max(0, x + from));
        const end = Math.min(width, Math.max(0, x + to + 1));
        if (before[row + end] !== before[row + start]) out[y * width + x] = value;
      }
    }
  }
  return out;
}
