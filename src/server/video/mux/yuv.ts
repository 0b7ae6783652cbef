import type { Picture } from '../contracts.ts';

/** Weights of red and blue in brightness, by the standard that a video names. */
const WEIGHTS = { bt709: [0.2126, 0.0722], bt601: [0.299, 0.114] } as const;

/** A picture as encoders want it: brightness, then both colours at half the width and height (I420, BT.709, 16 to 235). */
export function toI420({ width, height, rgb }: Picture): Uint8Array {
  const [r, b] = WEIGHTS.bt709;
  const g = 1 - r - b;
  const pixels = width * height;
  const out = new Uint8Array(pixels + pixels / 2);
  // All that does not change from pixel to pixel is reckoned first: this runs 25 times a second.
  const light = 219 / 255;
  const [red, green, blue] = [light * r, light * g, light * b];
  for (let i = 0, at = 0; i < pixels; i++, at += 3) {
    out[i] = red * rgb[at]! + green * rgb[at + 1]! + blue * rgb[at + 2]! + 16.5;
  }
  // The mean of four pixels.
  const ofBlue = 224 / 255 / 8 / (1 - b);
  const ofRed = 224 / 255 / 8 / (1 - r);
  const row = 3 * width;
  for (let y = 0, to = pixels; y < height; y += 2) {
    for (let at = y * row, end = at + row; at < end; at += 6, to++) {
      const below = at + row;
      const reds = rgb[at]! + rgb[at + 3]! + rgb[below]! + rgb[below + 3]!;
      const greens = rgb[at + 1]! + rgb[at + 4]! + rgb[below + 1]! + rgb[below + 4]!;
      const blues = rgb[at + 2]! + rgb[at + 5]! + rgb[below + 2]! + rgb[below + 5]!;
      const lights = r * reds + g * greens + b * blues;
      out[to] = 128.5 + ofBlue * (blues - lights);
      out[to + pixels / 4] = 128.5 + ofRed * (reds - lights);
    }
  }
  return out;
}

/** One plane of a decoded picture: where it begins and how far its rows are apart, in bytes. */
export type Plane = { readonly offset: number; readonly stride: number };

/** What `toI420` does, backwards, for planes that may have padding. */
export function fromI420(
  bytes: Uint8Array,
  planes: readonly Plane[],
  width: number,
  height: number,
  standard: keyof typeof WEIGHTS,
): Picture {
  const [r, b] = WEIGHTS[standard];
  const [light, blues, reds] = planes as [Plane, Plane, Plane];
  const rgb = new Uint8ClampedArray(3 * width * height);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const value = (bytes[light.offset + y * light.stride + x]! - 16) * (255 / 219);
      const half = (y >> 1) * blues.stride + (x >> 1);
      const blue = value + (bytes[blues.offset + half]! - 128) * (255 / 224) * 2 * (1 - b);
      const red = value + (bytes[reds.offset + half]! - 128) * (255 / 224) * 2 * (1 - r);
      rgb[to++] = red;
      rgb[to++] = (value - r * red - b * blue) / (1 - r - b);
      rgb[to++] = blue;
    }
  }
  return { width, height, rgb: new Uint8Array(rgb.buffer) };
}
