import { type MaskMode, PARSE_SIZE } from '../networks.ts';
import { ellipse, grow, type Shape, shrink } from './grow-and-shrink.ts';

/** Classes of the face parser that matter here. */
const SKIN = 1;
const NOSE = 10;
const MOUTH = [11, 12, 13] as const;
const NECK = 14;

/** How far the inner part of the face reaches to each side of its middle, in pixels of the parser's picture. */
const INNER = 90;

const CHEEK = ellipse(35, 3);

/**
 * What decides whether a pixel joins the skin in MuseTalk 1.5, a cone with a tail: from its point 6 pixels above, wider by one
 * on each side with every row, to 21 pixels, and these down to 16 below. So skin grows up by 16 pixels and down by 6.
 */
export const JAW: Shape = Array.from({ length: 23 }, (_, row) => {
  const reach = Math.min(row, 10);
  return { down: row - 6, from: -reach, to: reach };
});

/** 255 where the face is painted over, of the classes of the parser's picture (512 x 512), else 0. */
export function paintedRegion(classes: Uint8Array, mode: MaskMode): Uint8Array {
  const kinds = new Uint8Array(256);
  for (const kind of MOUTH) kinds[kind] = 255;
  if (mode !== 'jaw') kinds[SKIN] = 255;
  if (mode === 'neck') kinds[NECK] = 255;
  const region = classes.map((kind) => kinds[kind]!);
  if (mode !== 'jaw') return region;
  const face = jaw(classes);
  return region.map((painted, i) => (classes[i] === NOSE ? painted : painted | face[i]!));
}

/** Skin, grown over the chin's edge; at the cheeks shrunk again, further than it grew. */
function jaw(classes: Uint8Array): Uint8Array {
  const size = PARSE_SIZE;
  const skin = classes.map((kind) => (kind === SKIN ? 255 : 0));
  const grown = grow(skin, size, size, JAW);
  const shrunk = shrink(shrink(grown, size, size, CHEEK), size, size, CHEEK);
  return grown.map((value, i) => (Math.abs((i % size) - size / 2) < INNER ? value : shrunk[i]!));
}
