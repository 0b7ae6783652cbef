import type { Box } from '../../../contracts.ts';
import { type MaskMode, PARSE_SIZE } from '../networks.ts';
import { gaussianBlur } from './gaussian-blur.ts';
import { paintedRegion } from './painted-region.ts';
import { BICUBIC, resizeSmoothly } from './resize-smoothly.ts';

/** How much of a painted face counts, 0 to 255 for each pixel of a box in the frame; outside the box nothing does. */
export type Mask = { readonly box: Box; readonly alpha: Uint8Array };

/** The part of the crop, from its top, that is never painted. */
const UPPER = 0.5;
/** The blur's kernel in the crop's width, as MuseTalk has it for speaking live. */
const BLUR = 0.1;

/**
 * The soft mask of a face, of what the parser saw in `crop` (classes, 512 x 512; `cropAround` gives the crop): the lower half of the
 * crop within the box of the face, where `mode` paints. Where it saw nothing to paint there, the whole lower half of the box.
 */
export function faceMask(classes: Uint8Array, crop: Box, face: Box, mode: MaskMode): Mask {
  const { width, height } = crop;
  const seen = { width: PARSE_SIZE, height: PARSE_SIZE, channels: 1, data: paintedRegion(classes, mode) };
  const region = resizeSmoothly(seen, width, height, BICUBIC).data;
  const size = Math.floor((BLUR * width) / 2) * 2 + 1;
  const inside = {
    left: Math.max(0, face.x - crop.x),
    top: Math.max(0, face.y - crop.y),
    right: Math.min(width, face.x - crop.x + face.width),
    bottom: Math.min(height, face.y - crop.y + face.height),
  };
  const lower = { ...inside, top: Math.max(inside.top, Math.trunc(UPPER * height)) };
  const soft = (some: Uint8Array, edges: Edges): Mask => {
    const kept = new Uint8Array(width * height);
    copyEdges(some, kept, width, edges);
    return cut(gaussianBlur(kept, width, height, size), crop, inside);
  };
  const mask = soft(region, lower);
  return mask.alpha.length > 0 ? mask : soft(region.fill(255), inset(lower, size >> 1));
}

/** First and last of columns and rows; the last do not belong to it. */
type Edges = { readonly left: number; readonly top: number; readonly right: number; readonly bottom: number };

/** So far within left, right and bottom that a blur fades out before it reaches them; some is left even of a narrow one. */
function inset({ left, top, right, bottom }: Edges, by: number): Edges {
  const aside = Math.min(by, Math.floor((right - left - 1) / 2));
  return { left: left + aside, top, right: right - aside, bottom: Math.max(top + 1, bottom - by) };
}

function copyEdges(from: Uint8Array, to: Uint8Array, width: number, { left, top, right, bottom }: Edges): void {
  if (left >= right) return;
  for (let y = top; y < bottom; y++) to.set(from.subarray(y * width + left, y * width + right), y * width + left);
}

/** Only the part within `inside` where there is something: beyond the face, the frame would be mixed with itself. */
function cut(alpha: Uint8Array, crop: Box, inside: Edges): Mask {
  let { left: right, top: bottom, right: left, bottom: top } = inside;
  for (let y = inside.top; y < inside.bottom; y++) {
    for (let x = inside.left; x < inside.right; x++) {
      if (alpha[y * crop.width + x] === 0) continue;
      left = Math.min(left, x);
      right = Math.max(right, x + 1);
      top = Math.min(top, y);
      bottom = y + 1;
    }
  }
  const width = Math.max(0, right - left);
  const height = Math.max(0, bottom - top);
  const out = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const from = (top + y) * crop.width + left;
    out.set(alpha.subarray(from, from + width), y * width);
  }
  return { box: { x: crop.x + left, y: crop.y + top, width, height }, alpha: out };
}
