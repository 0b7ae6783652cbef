/** Bytes in rows from the top, `channels` for each pixel. */
export type Bytes = {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: Uint8Array;
};

/** How far a filter reaches, in pixels of the coarser of both sizes, and what it weighs there. */
export type Filter = { readonly reach: number; readonly weight: (distance: number) => number };

/** Pillow's BILINEAR: a triangle. */
export const BILINEAR: Filter = { reach: 1, weight: (x) => Math.max(0, 1 - x) };

/** Pillow's BICUBIC: Keys' cubic with a = -1/2. */
export const BICUBIC: Filter = {
  reach: 2,
  weight: (x) => {
    if (x >= 2) return 0;
    return x < 1 ? (1.5 * x - 2.5) * x * x + 1 : ((2.5 - 0.5 * x) * x - 4) * x + 2;
  },
};

/** Of Pillow: what a byte's sum has room for beside the byte, its sign and an overshoot. */
const BITS = 22;

/**
 * Bytes at another size, as Pillow's `resize` makes squares of squares, rows first: the filter widens where they get smaller, so
 * that nothing is skipped. Newer Pillows may take columns first where width and height change differently, for a rounding's difference.
 */
export function resizeSmoothly(bytes: Bytes, width: number, height: number, filter: Filter): Bytes {
  const { channels } = bytes;
  const across = width === bytes.width ? bytes.data : rows(bytes, width, filter);
  if (height === bytes.height)
    return { width, height, channels, data: across === bytes.data ? across.slice() : across };
  const data = new Uint8ClampedArray(width * height * channels);
  const length = width * channels;
  const sums = new Int32Array(length);
  for (const [y, { first, weights }] of stepsOf(bytes.height, height, filter).entries()) {
    sums.fill(1 << (BITS - 1));
    for (const [k, weight] of weights.entries()) {
      const row = (first + k) * length;
      for (let i = 0; i < length; i++) sums[i] = sums[i]! + weight * across[row + i]!;
    }
    for (let i = 0; i < length; i++) data[y * length + i] = sums[i]! >> BITS;
  }
  return { width, height, channels, data: new Uint8Array(data.buffer) };
}

function rows({ width: from, height, channels, data }: Bytes, width: number, filter: Filter): Uint8Array {
  const out = new Uint8ClampedArray(width * height * channels);
  const steps = stepsOf(from, width, filter);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const { first, weights } = steps[x]!;
      const start = (y * from + first) * channels;
      for (let c = 0; c < channels; c++) {
        let sum = 1 << (BITS - 1);
        for (let k = 0, at = start + c; k < weights.length; k++, at += channels) sum += weights[k]! * data[at]!;
        out[to++] = sum >> BITS;
      }
    }
  }
  return new Uint8Array(out.buffer);
}

type Step = { readonly first: number; readonly weights: Int32Array };

/** Which places of the old axis each of the new one is made of, and their weights, which make 2^22 together. */
function stepsOf(from: number, to: number, { reach, weight }: Filter): Step[] {
  const scale = from / to;
  const wide = Math.max(1, scale);
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - reach * wide + 0.5));
    const end = Math.min(from, Math.trunc(centre + reach * wide + 0.5));
    const shares = Array.from({ length: end - first }, (_, k) => weight(Math.abs((first + k - centre + 0.5) / wide)));
    const sum = shares.reduce((all, share) => all + share, 0);
    const weights = shares.map((share) => Math.sign(share) * Math.floor((Math.abs(share) / sum) * 2 ** BITS + 0.5));
    return { first, weights: Int32Array.from(weights) };
  });
}
