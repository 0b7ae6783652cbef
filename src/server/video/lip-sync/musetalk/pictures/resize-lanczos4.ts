import type { Box, Picture } from '../../../contracts.ts';
import { nearestEven } from './nearest-even.ts';

const TAPS = 8;
/** Of OpenCV: weights have 11 bits along each axis, so that sums have 22 more than bytes. */
const WEIGHT_BITS = 11;
const SUM_BITS = 2 * WEIGHT_BITS;

/**
 * What is in `box` of the picture, at another size, as OpenCV's INTER_LANCZOS4 makes it of bytes: eight pixels along each axis,
 * none of them from outside the box. Where the box reaches out of the picture, the picture's edge goes on.
 */
export function resizeLanczos4(picture: Picture, box: Box, width: number, height: number): Picture {
  const across = steps(box.x, box.width, width, picture.width);
  const down = steps(0, box.height, height, box.height);
  const rowLength = 3 * width;
  const rows = new Int32Array(rowLength * box.height);
  for (let y = 0; y < box.height; y++) {
    const row = 3 * picture.width * Math.min(picture.height - 1, Math.max(0, box.y + y));
    for (let x = 0, to = y * rowLength; x < width; x++) {
      let [red, green, blue] = [0, 0, 0];
      for (let i = TAPS * x; i < TAPS * (x + 1); i++) {
        const from = row + 3 * across.from[i]!;
        const weight = across.weights[i]!;
        red += weight * picture.rgb[from]!;
        green += weight * picture.rgb[from + 1]!;
        blue += weight * picture.rgb[from + 2]!;
      }
      rows[to++] = red;
      rows[to++] = green;
      rows[to++] = blue;
    }
  }
  const rgb = new Uint8ClampedArray(rowLength * height);
  for (let y = 0, to = 0; y < height; y++) {
    const taps = Array.from(down.from.subarray(TAPS * y, TAPS * (y + 1)), (row) => row * rowLength);
    const weights = down.weights.subarray(TAPS * y, TAPS * (y + 1));
    for (let i = 0; i < rowLength; i++) {
      let sum = 1 << (SUM_BITS - 1);
      for (let k = 0; k < TAPS; k++) sum += weights[k]! * rows[taps[k]! + i]!;
      rgb[to++] = sum >> SUM_BITS;
    }
  }
  return { width, height, rgb: new Uint8Array(rgb.buffer) };
}

/** For each place of the new axis, which eight places it is made of, kept within 0 to `limit` - 1, and their weights. */
function steps(first: number, length: number, to: number, limit: number) {
  const from = new Int32Array(TAPS * to);
  const weights = new Int32Array(TAPS * to);
  const scale = length / to;
  const shares = new Float32Array(TAPS);
  for (let i = 0; i < to; i++) {
    // Places are 32-bit numbers there, which decides some roundings.
    const place = Math.fround((i + 0.5) * scale - 0.5);
    const below = Math.floor(place);
    const rest = Math.fround(place - below);
    let sum = 0;
    for (let k = 0; k < TAPS; k++) {
      shares[k] = lanczos(rest + TAPS / 2 - 1 - k);
      sum = Math.fround(sum + shares[k]!);
    }
    for (let k = 0; k < TAPS; k++) {
      const inBox = Math.min(length - 1, Math.max(0, below - TAPS / 2 + 1 + k));
      from[TAPS * i + k] = Math.min(limit - 1, Math.max(0, first + inBox));
      weights[TAPS * i + k] = nearestEven(Math.fround(shares[k]! * Math.fround(1 / sum)) * (1 << WEIGHT_BITS));
    }
  }
  return { from, weights };
}

/** Lanczos' window of four pixels on each side: sinc(x) · sinc(x / 4). */
function lanczos(x: number): number {
  if (x === 0) return 1;
  const angle = Math.PI * x;
  return (Math.sin(angle) * Math.sin(angle / 4) * 4) / (angle * angle);
}
