import { type Box, type Point, VideoError } from '../../../contracts.ts';

/** The point on the bridge of the nose that lies in the middle of the painted face's height. */
const MIDDLE = 29;
/** Two boxes that share less than this part of what they cover together are two faces. */
const SAME_FACE = 0.2;

/**
 * The box that is painted, in whole pixels and within the picture, of the face's 68 points: from ear to ear, and as far above the
 * bridge of the nose as the chin is below it (MuseTalk 1.5). `known` is where the face is by other means: it is taken instead
 * where the points make no box, reach beyond the left edge, or lie on somebody else. `margin` pixels are added beneath. Throws a
 * `VideoError` where no part of the face is in the picture.
 */
export function faceBox(
  points: readonly Point[],
  known: Box,
  margin: number,
  picture: { readonly width: number; readonly height: number },
): Box {
  const instead = clamped(rounded(known), picture);
  const found = boxOf(points);
  // The network sees one person, whoever that is: in a picture of two it need not be the one that speaks.
  const { left, top, right, bottom } =
    found && sharedPart(clamped(found, picture), instead) >= SAME_FACE ? clamped(found, picture) : instead;
  if (right <= left || bottom <= top) {
    throw new VideoError('The face leaves the picture in the base clip; choose a video in which it stays in view.');
  }
  const chin = Math.min(picture.height, bottom + Math.round(margin));
  return { x: left, y: top, width: right - left, height: chin - top };
}

/** Edges, the last two beyond the last pixel. */
type Edges = { readonly left: number; readonly top: number; readonly right: number; readonly bottom: number };

function boxOf(points: readonly Point[]): Edges | undefined {
  const xs = points.map(({ x }) => Math.trunc(x));
  const ys = points.map(({ y }) => Math.trunc(y));
  const middle = ys[MIDDLE]!;
  const bottom = Math.max(...ys);
  const edges = {
    left: Math.min(...xs),
    top: Math.max(0, middle - (bottom - middle)),
    right: Math.max(...xs),
    bottom,
  };
  const isBox = edges.right > edges.left && edges.bottom > edges.top && edges.left >= 0;
  return isBox ? edges : undefined;
}

const rounded = ({ x, y, width, height }: Box): Edges => ({
  left: Math.round(x),
  top: Math.round(y),
  right: Math.round(x + width),
  bottom: Math.round(y + height),
});

const clamped = (
  { left, top, right, bottom }: Edges,
  { width, height }: { readonly width: number; readonly height: number },
): Edges => ({
  left: Math.max(0, left),
  top: Math.max(0, top),
  right: Math.min(width, right),
  bottom: Math.min(height, bottom),
});

/** What two boxes have in common, as a part of what they cover together. */
function sharedPart(one: Edges, other: Edges): number {
  const common = area({
    left: Math.max(one.left, other.left),
    top: Math.max(one.top, other.top),
    right: Math.min(one.right, other.right),
    bottom: Math.min(one.bottom, other.bottom),
  });
  return common === 0 ? 0 : common / (area(one) + area(other) - common);
}

const area = ({ left, top, right, bottom }: Edges): number => Math.max(0, right - left) * Math.max(0, bottom - top);
