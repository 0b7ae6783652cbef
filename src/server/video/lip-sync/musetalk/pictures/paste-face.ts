import type { Box, Picture } from '../../../contracts.ts';
import { FACE_SIZE } from '../networks.ts';
import type { Mask } from './face-mask.ts';
import { type LinearSteps, linearRows, linearSteps, WHOLE } from './linear-steps.ts';

/** By how many pixels the painted face is resized to; boxes of one clip differ by a few. */
const tables = new Map<number, LinearSteps>();

/**
 * Puts a painted face (RGB bytes, 256 x 256) into `frame`, in place, where its box is and as far as the mask lets it through:
 * resized as OpenCV's INTER_LINEAR does, mixed as Pillow's `paste` does. Only the mask's box is worked on; what lies outside the frame is left out.
 */
export function pasteFace(frame: Picture, painted: Uint8Array, face: Box, { box, alpha }: Mask): void {
  const left = Math.max(0, face.x, box.x);
  const right = Math.min(frame.width, face.x + face.width, box.x + box.width);
  const top = Math.max(0, face.y, box.y);
  const bottom = Math.min(frame.height, face.y + face.height, box.y + box.height);
  if (left >= right || top >= bottom) return;
  const rows = linearRows(painted, FACE_SIZE, stepsTo(face.width), left - face.x, right - face.x);
  const { near, far, share } = stepsTo(face.height);
  const { rgb } = frame;
  for (let y = top; y < bottom; y++) {
    const row = y - face.y;
    rows.hold(near[row]!, far[row]!);
    const { above, below } = rows;
    const second = share[row]!;
    const one = WHOLE - second;
    let to = 3 * (y * frame.width + left);
    let from = 0;
    const start = (y - box.y) * box.width - box.x;
    for (let at = start + left; at < start + right; at++) {
      const through = alpha[at]!;
      if (through === 0) {
        to += 3;
        from += 3;
        continue;
      }
      const stays = 255 - through;
      for (const end = from + 3; from < end; from++, to++) {
        const value = (((one * above[from]!) >> 16) + ((second * below[from]!) >> 16) + 2) >> 2;
        // Division by 255, rounded, without dividing.
        const mixed = through * value + stays * rgb[to]! + 128;
        rgb[to] = (mixed + (mixed >> 8)) >> 8;
      }
    }
  }
}

function stepsTo(size: number): LinearSteps {
  let steps = tables.get(size);
  if (!steps) {
    steps = linearSteps(FACE_SIZE, size);
    tables.set(size, steps);
  }
  return steps;
}
