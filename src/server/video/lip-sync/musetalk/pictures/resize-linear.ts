import type { Picture } from '../../../contracts.ts';
import { linearRows, linearSteps, WHOLE } from './linear-steps.ts';

/** The picture at another size, as OpenCV's INTER_LINEAR makes it of bytes: two pixels along each axis, however small it gets. */
export function resizeLinear(picture: Picture, width: number, height: number): Picture {
  const rgb = new Uint8Array(3 * width * height);
  const rows = linearRows(picture.rgb, picture.width, linearSteps(picture.width, width), 0, width);
  const { near, far, share } = linearSteps(picture.height, height);
  for (let y = 0, to = 0; y < height; y++) {
    rows.hold(near[y]!, far[y]!);
    const { above, below } = rows;
    const second = share[y]!;
    const one = WHOLE - second;
    for (let i = 0; i < above.length; i++) {
      rgb[to++] = (((one * above[i]!) >> 16) + ((second * below[i]!) >> 16) + 2) >> 2;
    }
  }
  return { width, height, rgb };
}
