import type { Picture } from '../contracts.ts';

/** How far Lanczos' kernel reaches, in pixels of the coarser picture. */
const REACH = 3;

/**
 * The square of `side` pixels whose upper left corner is at (`left`, `top`), brought to `size` x `size` pixels without jagged
 * edges (Lanczos). Need not lie within the picture: its outermost pixels go on.
 */
export function cutSquare(picture: Picture, left: number, top: number, side: number, size: number): Picture {
  const { width, height, rgb } = picture;
  const across = taps(left, side, size, width);
  const down = taps(top, side, size, height);
  // Only rows that are needed: first all of them are made narrow, then what is left is made flat.
  const first = Math.min(...down.map(({ indices }) => indices[0]!));
  const last = Math.max(...down.map(({ indices }) => indices.at(-1)!));
  const narrow = new Float32Array((last - first + 1) * size * 3);
  for (let y = first, to = 0; y <= last; y++) {
    for (const { indices, weights } of across) {
      let [red, green, blue] = [0, 0, 0];
      for (let i = 0; i < indices.length; i++) {
        const from = 3 * (y * width + indices[i]!);
        const weight = weights[i]!;
        red += weight * rgb[from]!;
        green += weight * rgb[from + 1]!;
        blue += weight * rgb[from + 2]!;
      }
      narrow[to++] = red;
      narrow[to++] = green;
      narrow[to++] = blue;
    }
  }
  const out = new Uint8ClampedArray(3 * size * size);
  const row = new Float32Array(3 * size);
  for (const [y, { indices, weights }] of down.entries()) {
    row.fill(0);
    for (let i = 0; i < indices.length; i++) {
      const from = 3 * size * (indices[i]! - first);
      for (let at = 0; at < row.length; at++) row[at]! += weights[i]! * narrow[from + at]!;
    }
    out.set(row, y * row.length);
  }
  return { width: size, height: size, rgb: new Uint8Array(out.buffer) };
}

type Taps = { readonly indices: readonly number[]; readonly weights: readonly number[] };

/** Which pixels of a line of `length` make each of the `size` new ones, and how much of each. */
function taps(start: number, side: number, size: number, length: number): Taps[] {
  const step = side / size;
  const stretch = Math.max(step, 1);
  return Array.from({ length: size }, (_, i) => {
    const centre = start + (i + 0.5) * step - 0.5;
    const weights = new Map<number, number>();
    for (let at = Math.ceil(centre - REACH * stretch); at <= centre + REACH * stretch; at++) {
      const index = Math.min(Math.max(at, 0), length - 1);
      weights.set(index, (weights.get(index) ?? 0) + lanczos((at - centre) / stretch));
    }
    const sum = [...weights.values()].reduce((total, weight) => total + weight, 0);
    return { indices: [...weights.keys()], weights: [...weights.values()].map((weight) => weight / sum) };
  });
}

function lanczos(x: number): number {
  if (x === 0) return 1;
  if (Math.abs(x) >= REACH) return 0;
  const angle = Math.PI * x;
  return (REACH * Math.sin(angle) * Math.sin(angle / REACH)) / angle ** 2;
}
