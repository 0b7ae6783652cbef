import type { Face, Picture, Point } from '../../contracts.ts';
import { type Axes, axesThrough, ease, edgesOf, heightAt, smoothed, within } from './curves.ts';
import { darkBetween, findLipLine } from './lip-line.ts';

/** A colour: red, green and blue, 0 to 255. */
export type Colour = readonly [number, number, number];

/** A mouth as it stands in a picture; lengths in pixels, heights downwards, in the mouth's own axes. */
export type MouthMap = {
  readonly axes: Axes;
  /** Half the distance between its corners. */
  readonly half: number;
  /** Heights of the lips' four edges from above, one per pixel, the corners first and last; without gap when closed. */
  readonly top: Float32Array;
  readonly upper: Float32Array;
  readonly lower: Float32Array;
  readonly bottom: Float32Array;
  /** What moves with the mouth: from beneath the nose over the chin to the neck, and to this far on each side. */
  readonly nose: number;
  readonly chin: number;
  readonly neck: number;
  readonly side: number;
  /** How far the jaw's edge is to the left and to the right, for each pixel of height from `nose` on. */
  readonly jawLeft: Float32Array;
  readonly jawRight: Float32Array;
  readonly lips: Colour;
  /** How bright the face is, 0 to 1. */
  readonly light: number;
  /** How surely the lips are apart in the picture, 0 to 1. */
  readonly parted: number;
};

/** Lips nearer to each other than this share of half the mouth's width count as closed: landmarks of portraits vary so. */
const CLOSED = 0.17;

/** What lies this near to the edge of an open mouth, as a share of half its width, may be tooth or lip: it is left out. */
const FRINGE = 0.06;

/** Finds out once how the mouth of `face` stands in `picture`. */
export function mapMouth(picture: Picture, face: Face): MouthMap {
  const inner = edgesOf(face.innerLips);
  const axes = axesThrough(inner.upper[0]!, inner.upper.at(-1)!);
  const local = (line: readonly Point[]) => line.map((point) => within(axes, point));
  const half = Math.max(4, local(inner.upper).at(-1)!.x);
  const outer = edgesOf(face.outerLips);
  const columns = 2 * Math.ceil(half) + 1;
  const along = (line: readonly Point[]) => {
    const points = local(line);
    const heights = new Float32Array(columns);
    for (let i = 0; i < columns; i++) heights[i] = heightAt(points, ((2 * i) / (columns - 1) - 1) * half);
    return smoothed(heights, Math.round(half / 8));
  };
  const [upper, lower] = [along(inner.upper), along(inner.lower)];
  let gap = 0;
  for (let i = 0; i < columns; i++) gap += (lower[i]! - upper[i]!) / columns;
  const outerEdges = [along(outer.upper), along(outer.lower)] as const;
  // Lips may be apart by less, when it is dark between them.
  const dark = darkBetween(picture, axes, -half, [outerEdges[0], upper, lower, outerEdges[1]]);
  const parted = Math.max(ease((gap / half - CLOSED) / 0.08), ease((dark - 0.45) / 0.2) * ease(gap - 1.5));
  const middle = upper.map((height, i) => (height + lower[i]!) / 2);
  const meet = parted < 1 ? findLipLine(picture, axes, -half, middle, Math.max(2, 0.08 * half + gap / 2)) : middle;
  for (let i = 0; i < columns; i++) {
    const open = (Math.max(0, lower[i]! - upper[i]!) + 2 * FRINGE * half) * parted;
    const centre = middle[i]! * parted + meet[i]! * (1 - parted);
    upper[i] = centre - open / 2;
    lower[i] = centre + open / 2;
  }
  const top = outerEdges[0].map((height, i) => Math.min(height, upper[i]! - 1));
  const bottom = outerEdges[1].map((height, i) => Math.max(height, lower[i]! + 1));
  const jaw = local(face.jaw);
  const lowest = Math.max(...bottom);
  const chin = Math.max(lowest + 0.5 * half, ...jaw.map(({ y }) => y));
  const highest = Math.min(...top);
  const colours = coloursOf(picture, axes, half, lower, bottom);
  const nose = highest - noseAbove(face, axes, highest, half);
  const neck = chin + Math.max(0.9 * (chin - lowest), 1.2 * half);
  return {
    axes,
    half,
    top,
    upper,
    lower,
    bottom,
    nose,
    chin,
    neck,
    side: sideOf(jaw, half),
    ...jawOf(jaw, nose, neck, half),
    parted,
    ...colours,
  };
}

/** How far above the lips the nose begins: its lower end is some 0.3 of the way from the mouth to the eyes. */
function noseAbove(face: Face, axes: Axes, highest: number, half: number): number {
  const eyes = [...face.leftEye, ...face.rightEye].map((point) => within(axes, point).y);
  if (eyes.length === 0) return 0.45 * half;
  const level = eyes.reduce((sum, y) => sum + y, 0) / eyes.length;
  return Math.max(0.3 * half, highest - 0.31 * level);
}

/** How far the jaw reaches to either side at the mouth's height, and a little further. */
function sideOf(jaw: readonly Point[], half: number): number {
  const beside = jaw.filter(({ y }) => Math.abs(y) < 1.5 * half).map(({ x }) => Math.abs(x));
  const reach = beside.length > 0 ? beside.reduce((sum, x) => sum + x, 0) / beside.length : 2 * half;
  return 1.1 * Math.min(3 * half, Math.max(1.8 * half, reach));
}

/** The jaw's edges on both sides of the mouth; see `MouthMap`. */
function jawOf(jaw: readonly Point[], nose: number, neck: number, half: number) {
  const lowest = jaw.reduce((found, { y }, i) => (y > jaw[found]!.y ? i : found), 0);
  const turned = (points: readonly Point[]) => points.map(({ x, y }) => ({ x: y, y: x }));
  const left = turned(jaw.slice(0, lowest + 1));
  const right = turned(jaw.slice(lowest)).reverse();
  const count = Math.ceil(neck - nose) + 1;
  const at = (line: readonly Point[]) =>
    Float32Array.from({ length: count }, (_, i) =>
      jaw.length < 3 ? 2 * half : Math.max(1.2 * half, Math.abs(heightAt(line, nose + i))),
    );
  return { jawLeft: at(left), jawRight: at(right) };
}

/** The lips' colour and the face's light, from samples of the lower lip, the chin and the cheeks. */
function coloursOf(picture: Picture, axes: Axes, half: number, lower: Float32Array, bottom: Float32Array) {
  const centre = (lower.length - 1) / 2;
  const lip = [0, 0, 0];
  const skin = [0, 0, 0];
  const lowest = Math.max(...bottom);
  const steps = 9;
  for (let i = 0; i < steps; i++) {
    const share = i / (steps - 1) - 0.5;
    const column = Math.round(centre + share * centre);
    addColour(lip, picture, axes, share * half, 0.45 * lower[column]! + 0.55 * bottom[column]!);
    addColour(skin, picture, axes, share * half, lowest + 0.35 * half);
    addColour(skin, picture, axes, Math.sign(share) * (1.3 + Math.abs(share)) * half, -0.3 * half);
  }
  const [red, green, blue] = skin.map((sum) => sum / (2 * steps) / 255) as unknown as Colour;
  return {
    lips: lip.map((sum) => sum / steps) as unknown as Colour,
    light: 0.3 * red + 0.59 * green + 0.11 * blue,
  };
}

function addColour(sum: number[], { width, height, rgb }: Picture, axes: Axes, u: number, v: number): void {
  const x = Math.min(width - 1, Math.max(0, Math.round(axes.x + u * axes.cos - v * axes.sin)));
  const y = Math.min(height - 1, Math.max(0, Math.round(axes.y + u * axes.sin + v * axes.cos)));
  for (let c = 0; c < 3; c++) sum[c]! += rgb[(y * width + x) * 3 + c]!;
}
