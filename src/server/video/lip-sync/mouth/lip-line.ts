import type { Picture } from '../../contracts.ts';
import type { Axes } from './curves.ts';
import { smoothed } from './curves.ts';

/** Pixels between two heights that are tried. */
const STEP = 0.5;

/**
 * The dark line where closed lips meet: `guess` (heights, one per pixel along the mouth from `left` on, in its axes), moved
 * by up to `reach` pixels to where the picture is darkest, and smooth.
 */
export function findLipLine(picture: Picture, axes: Axes, left: number, guess: Float32Array, reach: number) {
  const heights = 2 * Math.round(reach / STEP) + 1;
  const middle = (heights - 1) / 2;
  const cost = new Float32Array(guess.length * heights);
  for (let i = 0; i < guess.length; i++) {
    for (let k = 0; k < heights; k++) {
      const away = (k - middle) / middle;
      const light = lightAt(picture, axes, left + i, guess[i]! + (k - middle) * STEP);
      cost[i * heights + k] = light + 20 * away * away;
    }
  }
  const path = cheapestPath(cost, guess.length, heights);
  const moved = new Float32Array(guess.length);
  for (let i = 0; i < guess.length; i++) {
    // Near the corners there is no line any more that could be followed.
    const room = Math.min(1, (10 * Math.min(i, guess.length - 1 - i)) / guess.length);
    moved[i] = (path[i]! - middle) * STEP * room;
  }
  const reachOfMean = Math.max(1, Math.round(guess.length / 10));
  const even = smoothed(smoothed(moved, reachOfMean), reachOfMean);
  return guess.map((height, i) => height + even[i]!);
}

/** The row of each column, of those paths that move by one row per column at most, on which the costs are least. */
function cheapestPath(cost: Float32Array, columns: number, rows: number): Int32Array {
  const total = Float32Array.from(cost);
  const from = new Int32Array(cost.length);
  for (let i = 1; i < columns; i++) {
    for (let k = 0; k < rows; k++) {
      let best = k;
      for (let j = Math.max(0, k - 1); j <= Math.min(rows - 1, k + 1); j++) {
        if (total[(i - 1) * rows + j]! < total[(i - 1) * rows + best]!) best = j;
      }
      from[i * rows + k] = best;
      total[i * rows + k]! += total[(i - 1) * rows + best]!;
    }
  }
  const path = new Int32Array(columns);
  let row = 0;
  for (let k = 1; k < rows; k++) {
    if (total[(columns - 1) * rows + k]! < total[(columns - 1) * rows + row]!) row = k;
  }
  for (let i = columns - 1; i >= 0; i--) {
    path[i] = row;
    row = from[i * rows + row]!;
  }
  return path;
}

/** How bright the picture is at a place in `axes`, 0 to 255, between pixels too. */
function lightAt({ width, height, rgb }: Picture, { x, y, cos, sin }: Axes, u: number, v: number): number {
  const px = Math.min(Math.max(x + u * cos - v * sin, 0), width - 1.001);
  const py = Math.min(Math.max(y + u * sin + v * cos, 0), height - 1.001);
  const [left, top] = [Math.floor(px), Math.floor(py)];
  const [fx, fy] = [px - left, py - top];
  let light = 0;
  for (let corner = 0; corner < 4; corner++) {
    const [right, below] = [corner & 1, corner >> 1];
    const at = ((top + below) * width + left + right) * 3;
    const share = (right ? fx : 1 - fx) * (below ? fy : 1 - fy);
    light += share * (0.3 * rgb[at]! + 0.59 * rgb[at + 1]! + 0.11 * rgb[at + 2]!);
  }
  return light;
}

/**
 * How much of what lies between the edges that were found of two lips is as dark as the inside of a mouth, 0 to 1. Given are
 * heights, one per pixel from `left` on: of the upper lip's edges, then of the lower lip's.
 */
export function darkBetween(
  picture: Picture,
  axes: Axes,
  left: number,
  [top, upper, lower, bottom]: readonly [Float32Array, Float32Array, Float32Array, Float32Array],
): number {
  const quarter = Math.floor(upper.length / 4);
  let dark = 0;
  let all = 0;
  for (let i = quarter; i < upper.length - quarter; i++) {
    const lips = [(top[i]! + upper[i]!) / 2, (lower[i]! + bottom[i]!) / 2];
    const limit = 0.55 * Math.min(...lips.map((v) => lightAt(picture, axes, left + i, v)));
    for (let v = upper[i]! + STEP; v < lower[i]!; v += STEP) {
      all++;
      if (lightAt(picture, axes, left + i, v) < limit) dark++;
    }
  }
  return all === 0 ? 0 : dark / all;
}
