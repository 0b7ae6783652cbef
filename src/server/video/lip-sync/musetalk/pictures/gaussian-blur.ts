import { nearestEven } from './nearest-even.ts';

/** OpenCV's kernels of few pixels, of 256: it takes these instead of computing them. */
const SMALL = new Map([
  [1, [256]],
  [3, [64, 128, 64]],
  [5, [16, 64, 96, 64, 16]],
  [7, [8, 28, 56, 72, 56, 28, 8]],
]);

/**
 * A plane of bytes blurred as OpenCV's GaussianBlur does it with a kernel of `size` pixels (odd) on each axis and the deviation that
 * this gives, 0.3 · ((size - 1) / 2 - 1) + 0.8; beyond an edge lies what lies before it, without the edge itself.
 */
export function gaussianBlur(plane: Uint8Array, width: number, height: number, size: number): Uint8Array {
  const out = new Uint8Array(width * height);
  const kernel = kernelOf(size);
  const reach = size >> 1;
  const area = reached(plane, width, height, reach);
  if (!area) return out;
  const { left, right, top, bottom, first, last } = area;
  const span = right - left;
  const columns = mirrored(left - reach, right + reach, width);
  const across = new Uint16Array(span * height);
  for (let y = first; y <= last; y++) {
    const row = y * width;
    for (let x = 0; x < span; x++) {
      let sum = 0;
      for (let k = 0; k < size; k++) sum += kernel[k]! * plane[row + columns[x + k]!]!;
      across[y * span + x] = sum;
    }
  }
  const rows = mirrored(top - reach, bottom + reach, height);
  const sums = new Int32Array(span);
  for (let y = top; y < bottom; y++) {
    sums.fill(1 << 15);
    for (let k = 0; k < size; k++) {
      const row = rows[y - top + k]!;
      const weight = kernel[k]!;
      if (weight === 0 || row < first || row > last) continue;
      const start = row * span;
      for (let x = 0; x < span; x++) sums[x] = sums[x]! + weight * across[start + x]!;
    }
    for (let x = 0; x < span; x++) out[y * width + left + x] = sums[x]! >> 16;
  }
  return out;
}

/** Weights in 8 bits, 256 together: what rounding takes from one goes to the next, and the middle gets what is left. */
function kernelOf(size: number): Int32Array {
  const small = SMALL.get(size);
  if (small) return Int32Array.from(small);
  const half = size >> 1;
  const deviation = 0.3 * (half - 1) + 0.8;
  const shares = Float64Array.from({ length: size }, (_, i) => Math.exp(-((i - half) ** 2) / (2 * deviation ** 2)));
  const all = shares.reduce((sum, share) => sum + share, 0);
  const kernel = new Int32Array(size);
  let missing = 0;
  let rest = 256;
  for (let i = 0; i < half; i++) {
    const exact = (shares[i]! / all) * 256 + missing;
    const weight = nearestEven(exact);
    missing = exact - weight;
    kernel[i] = weight;
    kernel[size - 1 - i] = weight;
    rest -= 2 * weight;
  }
  kernel[half] = rest;
  return kernel;
}

/** Places `from` to `to` - 1 of an axis, those beyond its ends mirrored at them. */
function mirrored(from: number, to: number, length: number): Int32Array {
  return Int32Array.from({ length: to - from }, (_, i) => {
    let at = from + i;
    if (length === 1) return 0;
    while (at < 0 || at >= length) at = at < 0 ? -at : 2 * (length - 1) - at;
    return at;
  });
}

/** The part of the plane that a blur with this reach can leave other than 0, and which rows are so now; most of a mask is 0. */
function reached(plane: Uint8Array, width: number, height: number, reach: number) {
  let [left, right, top, bottom] = [width, 0, height, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (plane[y * width + x] === 0) continue;
      left = Math.min(left, x);
      right = Math.max(right, x + 1);
      top = Math.min(top, y);
      bottom = y + 1;
    }
  }
  if (bottom === 0) return undefined;
  return {
    left: Math.max(0, left - reach),
    right: Math.min(width, right + reach),
    top: Math.max(0, top - reach),
    bottom: Math.min(height, bottom + reach),
    first: top,
    last: bottom - 1,
  };
}
