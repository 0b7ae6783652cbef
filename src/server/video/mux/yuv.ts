import type { Picture } from '../contracts.ts';

/** Weights of red and blue in brightness, by the standard that a video names. */
const WEIGHTS = { bt709: [0.2126, 0.0722], bt601: [0.299, 0.114] } as const;

/** A picture as encoders want it: brightness, then both colours at half the width and height (I420, BT.709, 16 to 235). */
export function toI420({ width, height, rgb }: Picture): Uint8Array {
  const [r, b] = WEIGHTS.bt709;
  const pixels = width * height;
  const out = new Uint8Array(pixels + pixels / 2);
  const brightness = (at: number) => r * rgb[at]! + (1 - r - b) * rgb[at + 1]! + b * rgb[at + 2]!;
  for (let i = 0; i < pixels; i++) out[i] = 16 + (219 / 255) * brightness(3 * i) + 0.5;
  const halfWidth = width / 2;
  for (let y = 0; y < height; y += 2) {
    for (let x = 0; x < width; x += 2) {
      const at = 3 * (y * width + x);
      const below = at + 3 * width;
      const mean = (c: number) => (rgb[at + c]! + rgb[at + 3 + c]! + rgb[below + c]! + rgb[below + 3 + c]!) / 4;
      const [red, green, blue] = [mean(0), mean(1), mean(2)];
      const light = r * red + (1 - r - b) * green + b * blue;
      const to = pixels + (y / 2) * halfWidth + x / 2;
      out[to] = 128.5 + ((224 / 255) * (blue - light)) / (2 * (1 - b));
      out[to + pixels / 4] = 128.5 + ((224 / 255) * (red - light)) / (2 * (1 - r));
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
