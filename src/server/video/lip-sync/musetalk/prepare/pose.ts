import type { Picture, Point } from '../../../contracts.ts';
import { type MuseTalkNetworks, POSE_HEIGHT, POSE_SPLIT, POSE_WIDTH } from '../networks.ts';
import { mirroredPlanes, posePlanes, poseView } from './pose-picture.ts';

/** Scores of all points along both axes, as `MuseTalkNetworks.pose` gives them. */
export type PoseScores = Awaited<ReturnType<MuseTalkNetworks['pose']>>;

/** Of the 133 points of a whole body, those of the face begin here; they are the 68 that many face datasets have. */
const FIRST_FACE_POINT = 23;
const FACE_POINTS = 68;
const BINS_X = POSE_WIDTH * POSE_SPLIT;
const BINS_Y = POSE_HEIGHT * POSE_SPLIT;

/** First and last of each row of points whose mirror image is the same row read backwards. */
const MIRRORED_ROWS = [
  [0, 16], // jaw
  [17, 26], // brows
  [31, 35], // nostrils
  [48, 54], // upper edge of the mouth
  [55, 59], // lower edge
  [60, 64], // upper edge of its opening
  [65, 67], // lower edge
] as const;
/** Points of the eyes, which lie around them. */
const MIRRORED_PAIRS = [
  [36, 45],
  [37, 44],
  [38, 43],
  [39, 42],
  [40, 47],
  [41, 46],
] as const;

/** Which of the 68 points each one is in a mirror. */
const MIRRORED = mirroredPoints();

/**
 * The 68 points of the face in a picture, in its pixels, from the network's answers about it and its mirror image, which count
 * the same, as in MuseTalk's own configuration (`flip_test`). A point that was not seen lies left of the picture.
 */
export function facePoints(scores: PoseScores, mirrored: PoseScores, width: number, height: number): Point[] {
  const view = poseView(width, height);
  return Array.from({ length: FACE_POINTS }, (_, i) => {
    const point = FIRST_FACE_POINT + i;
    const twin = FIRST_FACE_POINT + MIRRORED[i]!;
    const x = peak(BINS_X, (at) => scores.x[point * BINS_X + at]! + mirrored.x[(twin + 1) * BINS_X - 1 - at]!);
    const y = peak(BINS_Y, (at) => scores.y[point * BINS_Y + at]! + mirrored.y[twin * BINS_Y + at]!);
    const seen = Math.min(x.score, y.score) > 0;
    return {
      x: ((seen ? x.at : -1) / POSE_SPLIT / POSE_WIDTH) * view.width + view.x,
      y: ((seen ? y.at : -1) / POSE_SPLIT / POSE_HEIGHT) * view.height + view.y,
    };
  });
}

/** Looks for the 68 points of a face in a picture; rejects as the network does. */
export async function findFacePoints(
  networks: Pick<MuseTalkNetworks, 'pose'>,
  picture: Picture,
  signal: AbortSignal,
): Promise<Point[]> {
  signal.throwIfAborted();
  const planes = posePlanes(picture);
  // Made now: what a network was given may have been handed on to its process.
  const mirroredToo = mirroredPlanes(planes);
  const scores = await networks.pose(planes, signal);
  const mirrored = await networks.pose(mirroredToo, signal);
  return facePoints(scores, mirrored, picture.width, picture.height);
}

/** The first of the highest scores, which count in 32 bits. */
function peak(bins: number, scoreAt: (bin: number) => number): { readonly at: number; readonly score: number } {
  let at = 0;
  let score = Math.fround(scoreAt(0));
  for (let bin = 1; bin < bins; bin++) {
    const here = Math.fround(scoreAt(bin));
    if (here > score) [at, score] = [bin, here];
  }
  return { at, score };
}

function mirroredPoints(): readonly number[] {
  const points = Array.from({ length: FACE_POINTS }, (_, i) => i);
  for (const [first, last] of MIRRORED_ROWS) for (let i = first; i <= last; i++) points[i] = first + last - i;
  for (const [one, other] of MIRRORED_PAIRS) [points[one], points[other]] = [other, one];
  return points;
}
