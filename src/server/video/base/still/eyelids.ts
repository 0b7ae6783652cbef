import type { Picture, Point } from '../../contracts.ts';
import { type Axes, axesThrough, ease, edgesOf, heightAt, smoothed, within } from '../../lip-sync/mouth/curves.ts';

/** One eye of a picture; lengths in pixels, in its own axes. */
type Eye = {
  readonly axes: Axes;
  /** Half the distance between its corners. */
  readonly half: number;
  /** Heights of its lids' edges, `PER_PIXEL` per pixel, from one corner to the other. */
  readonly upper: Float32Array;
  readonly lower: Float32Array;
  /** The part of the picture that changes. */
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
};

const PER_PIXEL = 3;

/** Lashes and folds reach beyond the corners that are found: lids move over so much more than half an eye. */
const BEYOND = 1.22;

/** Closes and turns the eyes of one picture. */
export class Eyelids {
  readonly #picture: Picture;
  readonly #eyes: readonly Eye[];

  /** `eyes` are the contours of those that were found; nothing happens to others. */
  constructor(picture: Picture, eyes: readonly (readonly Point[])[]) {
    this.#picture = picture;
    this.#eyes = eyes.filter((contour) => contour.length >= 4).map((contour) => eyeOf(picture, contour));
  }

  /**
   * Writes both eyes into `to`, a copy of the picture: closed so far (0 to 1), and looking aside by shares of half an eye's
   * width.
   */
  draw(to: Uint8Array, closed: number, gazeX: number, gazeY: number): void {
    for (const eye of this.#eyes) this.#drawEye(to, eye, closed, gazeX, gazeY);
  }

  #drawEye(to: Uint8Array, eye: Eye, closed: number, gazeX: number, gazeY: number): void {
    const { width, rgb } = this.#picture;
    const { axes, half } = eye;
    const { cos, sin } = axes;
    const middle = (eye.upper.length - 1) / 2;
    const sample = [0, 0, 0];
    const lash = Math.max(0.7, 0.05 * half);
    for (let y = eye.top; y < eye.top + eye.height; y++) {
      for (let x = eye.left; x < eye.left + eye.width; x++) {
        const out = (y * width + x) * 3;
        const u = (x - axes.x) * cos + (y - axes.y) * sin;
        const v = (y - axes.y) * cos - (x - axes.x) * sin;
        for (let c = 0; c < 3; c++) to[out + c] = rgb[out + c]!;
        const i = Math.round(u * PER_PIXEL) + middle;
        if (i <= 0 || i >= 2 * middle || (closed === 0 && gazeX === 0 && gazeY === 0)) continue;
        const wasUpper = eye.upper[i]!;
        const wasLower = eye.lower[i]!;
        const open = wasLower - wasUpper;
        // The upper lid comes down a little over the lower one, so that nothing of the eye shines through.
        const upper = wasUpper + closed * (0.86 * open + 0.07 * half * Math.min(1, open / (0.2 * half)));
        const lower = wasLower - 0.14 * closed * open;
        const crease = wasUpper - 0.7 * half;
        let [du, dv] = [0, 0];
        let shade = 1;
        const lid = Math.min(1, Math.max(0, upper + 0.5 - v));
        if (v < upper + 0.5) dv = -(upper - wasUpper) * ease((v - crease) / (upper - crease));
        else if (v <= lower) {
          const inside = ease(Math.min(v - wasUpper, wasLower - v) / 2) * Math.max(0, 1 - (u / half) ** 2);
          du = -gazeX * half * inside;
          dv = -gazeY * half * inside;
        } else dv = (wasLower - lower) * (1 - ease((v - lower) / (0.5 * half)));
        if (closed > 0) {
          const away = (v - upper) / lash;
          const line = 0.45 * Math.min(1, open / 4) * Math.exp(-away * away);
          // What is still seen of the eye lies in the lid's shadow.
          const shadow = lid < 1 && v <= lower ? 0.25 : 0;
          shade = 1 - closed * Math.max(line, shadow);
        }
        this.#sample(x + du * cos - dv * sin, y + du * sin + dv * cos, sample);
        for (let c = 0; c < 3; c++) to[out + c] = sample[c]! * shade + 0.5;
      }
    }
  }

  #sample(x: number, y: number, to: number[]): void {
    const { width, height, rgb } = this.#picture;
    const px = Math.min(width - 1.001, Math.max(0, x));
    const py = Math.min(height - 1.001, Math.max(0, y));
    const [left, top] = [Math.floor(px), Math.floor(py)];
    const [fx, fy] = [px - left, py - top];
    const at = (top * width + left) * 3;
    for (let c = at; c < at + 3; c++) {
      const above = rgb[c]! + fx * (rgb[c + 3]! - rgb[c]!);
      const below = rgb[c + width * 3]! + fx * (rgb[c + width * 3 + 3]! - rgb[c + width * 3]!);
      to[c - at] = above + fy * (below - above);
    }
  }
}

function eyeOf({ width, height }: Picture, contour: readonly Point[]): Eye {
  const edges = edgesOf(contour);
  const axes = axesThrough(edges.upper[0]!, edges.upper.at(-1)!);
  const found = Math.max(2, within(axes, edges.upper.at(-1)!).x);
  const half = BEYOND * found;
  const along = (edge: readonly Point[]) => {
    const points = edge.map((point) => within(axes, point));
    const count = 2 * Math.ceil(1.05 * half * PER_PIXEL) + 1;
    const heights = Float32Array.from({ length: count }, (_, i) =>
      heightAt(points, (i - (count - 1) / 2) / PER_PIXEL / BEYOND),
    );
    const reach = Math.round((half * PER_PIXEL) / 6);
    return smoothed(smoothed(heights, reach), reach);
  };
  const [upper, lower] = [along(edges.upper), along(edges.lower)];
  // Smoothing flattens an arch: made up for, so that the lid brings nothing of the eye along.
  for (let i = 0; i < upper.length; i++) {
    const missing = 0.1 * (lower[i]! - upper[i]!);
    upper[i]! -= missing;
    lower[i]! += missing;
  }
  const xs = contour.map(({ x }) => x);
  const ys = contour.map(({ y }) => y);
  const left = Math.max(0, Math.floor(Math.min(...xs) - 0.3 * half));
  const top = Math.max(0, Math.floor(Math.min(...ys) - 1.2 * half));
  return {
    axes,
    half,
    upper,
    lower,
    left,
    top,
    width: Math.max(0, Math.min(width - 1, Math.ceil(Math.max(...xs) + 0.4 * half)) - left),
    height: Math.max(0, Math.min(height - 1, Math.ceil(Math.max(...ys) + 0.8 * half)) - top),
  };
}
