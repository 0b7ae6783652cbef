import type { Picture, Point } from '../contracts.ts';
import { type Square, sampleSquare } from '../pictures/sample-square.ts';
import type { Network } from './networks.ts';

/** A face as BlazeFace sees it, in pixels of the picture: roughly where it is, and both eyes, from left to right. */
export type Glimpse = {
  readonly score: number;
  readonly centre: Point;
  readonly side: number;
  readonly eyes: readonly [Point, Point];
};

const ENOUGH = 0.5;
const SAME_FACE = 0.3;
/** One after another: 16 x 16 places with two anchors, then 8 x 8 with six. */
const GRIDS = [
  { cells: 16, anchors: 2 },
  { cells: 8, anchors: 6 },
] as const;
const NUMBERS = 16;

/** On its longer side, in pixels: in a smaller picture, faces that may escape are too small for anything. */
const LARGE_PICTURE = 1024;
/** Parts overlap, so that a face between two of them is whole in one. */
const PART = 0.6;

/** Where to look for faces: each of these lists only if those before it showed none. */
export function viewsOf({ width, height }: Picture): Square[][] {
  const side = Math.max(width, height);
  const square = (x: number, y: number, share: number): Square => ({
    centre: { x: x * width, y: y * height },
    side: share * side,
    angle: 0,
  });
  // A face that fills the picture is more than the network expects; a small one may escape it.
  const [first, last] = [PART / 2, 1 - PART / 2];
  const parts = [first, last].flatMap((x) => [first, last].map((y) => square(x, y, PART)));
  return [[square(0.5, 0.5, 1)], [square(0.5, 0.5, 2)], side > LARGE_PICTURE ? parts : []];
}

/** The faces in a square of a picture, the surest first; each once. */
export async function findBoxes(network: Network, picture: Picture, square: Square): Promise<Glimpse[]> {
  const outputs = await network.run(sampleSquare(picture, square, network.size, [-1, 1]));
  const scale = square.side / network.size;
  const left = square.centre.x - square.side / 2;
  const top = square.centre.y - square.side / 2;
  const glimpses: Glimpse[] = [];
  for (const [i, { cells, anchors }] of GRIDS.entries()) {
    const [scores, numbers] = [outputs[2 * i]!, outputs[2 * i + 1]!];
    for (let at = 0; at < scores.length; at++) {
      const score = 1 / (1 + Math.exp(-scores[at]!));
      if (score < ENOUGH) continue;
      const cell = Math.floor(at / anchors);
      const x = (((cell % cells) + 0.5) * network.size) / cells;
      const y = ((Math.floor(cell / cells) + 0.5) * network.size) / cells;
      const point = (k: number): Point => ({
        x: left + scale * (x + numbers[at * NUMBERS + k]!),
        y: top + scale * (y + numbers[at * NUMBERS + k + 1]!),
      });
      const size = Math.max(numbers[at * NUMBERS + 2]!, numbers[at * NUMBERS + 3]!);
      glimpses.push({ score, centre: point(0), side: scale * size, eyes: [point(4), point(6)] });
    }
  }
  glimpses.sort((a, b) => b.score - a.score);
  return glimpses.filter((one, i) => !glimpses.slice(0, i).some((surer) => overlap(one, surer) > SAME_FACE));
}

/** Common area over the area of both together. */
function overlap(a: Glimpse, b: Glimpse): number {
  const along = (of: 'x' | 'y') =>
    Math.min(a.centre[of] + a.side / 2, b.centre[of] + b.side / 2) -
    Math.max(a.centre[of] - a.side / 2, b.centre[of] - b.side / 2);
  const common = Math.max(along('x'), 0) * Math.max(along('y'), 0);
  return common / (a.side ** 2 + b.side ** 2 - common);
}
