import { describe, expect, it } from 'vitest';
import { resizeLanczos4 } from '../../../../src/server/video/lip-sync/musetalk/pictures/resize-lanczos4.ts';
import {
  BICUBIC,
  BILINEAR,
  resizeSmoothly,
} from '../../../../src/server/video/lip-sync/musetalk/pictures/resize-smoothly.ts';
import { blot, drawn } from '../../../fixtures/musetalk/drawn.ts';
import { apart, expected } from '../../../fixtures/musetalk/pictures-expected.ts';
import { resizeLinear } from '../../../fixtures/musetalk/resize-linear.ts';

const NOT_AT_ALL = { most: 0, places: 0 };

describe('resizing a picture', () => {
  it.each(expected('lanczos'))('by Lanczos as OpenCV: %s', (_, { size, box, to }, out) => {
    const made = resizeLanczos4(drawn(...size), box, ...to);
    expect(made).toMatchObject({ width: to[0], height: to[1] });
    const { most, places } = apart(made.rgb, out);
    // OpenCV computes weights in 32 bits; now and then one of them is rounded to the other side.
    expect(most).toBeLessThanOrEqual(1);
    expect(places).toBeLessThan(out.length / 500);
  });

  it.each(expected('linear'))('linearly as OpenCV: %s', (_, { size, to }, out) => {
    const made = resizeLinear(drawn(...size), ...to);
    expect(made).toMatchObject({ width: to[0], height: to[1] });
    expect(apart(made.rgb, out)).toEqual(NOT_AT_ALL);
  });

  it.each(expected('bilinear'))('bilinearly as Pillow: %s', (_, { size, to }, out) => {
    const { width, height, rgb } = drawn(...size);
    const made = resizeSmoothly({ width, height, channels: 3, data: rgb }, ...to, BILINEAR);
    expect(apart(made.data, out)).toEqual(NOT_AT_ALL);
  });

  it.each(expected('bicubic'))('bicubically as Pillow: %s', (_, { size, to }, out) => {
    const [width, height] = size;
    const made = resizeSmoothly({ width, height, channels: 1, data: blot(...size) }, ...to, BICUBIC);
    expect(apart(made.data, out)).toEqual(NOT_AT_ALL);
  });

  it('leaves what it was given as it was', () => {
    const picture = drawn(30, 20);
    resizeLinear(picture, 17, 31);
    resizeLanczos4(picture, { x: -3, y: 2, width: 20, height: 25 }, 17, 31);
    const { width, height, rgb } = picture;
    const same = resizeSmoothly({ width, height, channels: 3, data: rgb }, width, height, BICUBIC);
    expect(same.data).toEqual(rgb);
    expect(same.data).not.toBe(rgb);
    expect(picture).toEqual(drawn(30, 20));
  });
});
