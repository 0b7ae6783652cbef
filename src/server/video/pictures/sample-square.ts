import type { Picture, Point } from '../contracts.ts';

/** A square in a picture, in pixels; `angle` (radians, clockwise) turns it about its centre. */
export type Square = { readonly centre: Point; readonly side: number; readonly angle: number };

/**
 * What a network sees of a square: red, green and blue planes of `size` x `size` numbers, `low` (black) to `high` (white).
 * Outside of the picture everything is black.
 */
export function sampleSquare(
  picture: Picture,
  square: Square,
  size: number,
  [low, high]: readonly [number, number],
): Float32Array {
  let from = picture;
  let scale = 1;
  // Of a much finer picture most pixels would not be seen.
  while (square.side / scale > 2 * size && from.width > 1 && from.height > 1) {
    from = halved(from);
    scale *= 2;
  }
  const { rgb, width, height } = from;
  const plane = size * size;
  const planes = new Float32Array(3 * plane).fill(low);
  const step = square.side / size / scale;
  const across = { x: step * Math.cos(square.angle), y: step * Math.sin(square.angle) };
  const gain = (high - low) / 255;
  for (let row = 0, at = 0; row < size; row++) {
    const down = row + 0.5 - size / 2;
    for (let column = 0; column < size; column++, at++) {
      const right = column + 0.5 - size / 2;
      const x = square.centre.x / scale + right * across.x - down * across.y - 0.5;
      const y = square.centre.y / scale + right * across.y + down * across.x - 0.5;
      if (x < -0.5 || y < -0.5 || x > width - 0.5 || y > height - 0.5) continue;
      const left = Math.min(Math.max(Math.floor(x), 0), Math.max(width - 2, 0));
      const top = Math.min(Math.max(Math.floor(y), 0), Math.max(height - 2, 0));
      const fx = Math.min(Math.max(x - left, 0), 1);
      const fy = Math.min(Math.max(y - top, 0), 1);
      const a = 3 * (top * width + left);
      const b = width > 1 ? a + 3 : a;
      const c = height > 1 ? a + 3 * width : a;
      const d = c + b - a;
      for (let channel = 0; channel < 3; channel++) {
        const upper = rgb[a + channel]! * (1 - fx) + rgb[b + channel]! * fx;
        const lower = rgb[c + channel]! * (1 - fx) + rgb[d + channel]! * fx;
        planes[channel * plane + at] = low + gain * (upper * (1 - fy) + lower * fy);
      }
    }
  }
  return planes;
}

/** The picture with half as many pixels on each axis, four of them made one. */
export function halved({ rgb, width, height }: Picture): Picture {
  const half = { width: width >> 1, height: height >> 1 };
  const out = new Uint8Array(3 * half.width * half.height);
  for (let row = 0, at = 0; row < half.height; row++) {
    for (let column = 0; column < half.width; column++) {
      const a = 3 * (2 * row * width + 2 * column);
      const b = a + 3 * width;
      for (let channel = 0; channel < 3; channel++, at++) {
        out[at] = (rgb[a + channel]! + rgb[a + channel + 3]! + rgb[b + channel]! + rgb[b + channel + 3]! + 2) >> 2;
      }
    }
  }
  return { ...half, rgb: out };
}
