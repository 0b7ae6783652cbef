import type { Point } from '../../contracts.ts';

/** A frame of reference on a picture: an origin, and the direction in which its first axis runs. */
export type Axes = { readonly x: number; readonly y: number; readonly cos: number; readonly sin: number };

/** The axes of a part of a face: its origin amid two corners, the first axis through them, the second downwards. */
export function axesThrough(left: Point, right: Point): Axes {
  const length = Math.hypot(right.x - left.x, right.y - left.y) || 1;
  return {
    x: (left.x + right.x) / 2,
    y: (left.y + right.y) / 2,
    cos: (right.x - left.x) / length,
    sin: (right.y - left.y) / length,
  };
}

/** Where a point of the picture lies in `axes`. */
export function within({ x, y, cos, sin }: Axes, point: Point): Point {
  const [dx, dy] = [point.x - x, point.y - y];
  return { x: dx * cos + dy * sin, y: dy * cos - dx * sin };
}

/** The two edges of a contour, each from its left corner to its right one; see `Face` for the contour's order. */
export function edgesOf(contour: readonly Point[]): { upper: Point[]; lower: Point[] } {
  let right = 0;
  for (const [index, { x }] of contour.entries()) if (x > contour[right]!.x) right = index;
  return {
    upper: contour.slice(0, right + 1),
    lower: [...contour.slice(right), contour[0]!].reverse(),
  };
}

/** A line's height at `x`; beyond its ends it goes on level. */
export function heightAt(line: readonly Point[], x: number): number {
  let before = line[0]!;
  for (const point of line) {
    if (point.x >= x) {
      const run = point.x - before.x;
      return run > 0 ? before.y + ((point.y - before.y) * (x - before.x)) / run : point.y;
    }
    if (point.x >= before.x) before = point;
  }
  return before.y;
}

/** `values`, each replaced by the mean of those up to `reach` away; the ends stay. */
export function smoothed(values: Float32Array, reach: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const near = Math.min(reach, i, values.length - 1 - i);
    let sum = 0;
    for (let j = i - near; j <= i + near; j++) sum += values[j]!;
    result[i] = sum / (2 * near + 1);
  }
  return result;
}

/** From 0 to 1 while `x` goes from 0 to 1, level at both ends. */
export function ease(x: number): number {
  if (x <= 0) return 0;
  return x >= 1 ? 1 : x * x * (3 - 2 * x);
}
