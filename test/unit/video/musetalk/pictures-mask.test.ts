import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Box } from '../../../../src/server/video/contracts.ts';
import { cropAround } from '../../../../src/server/video/lip-sync/musetalk/pictures/crop-around.ts';
import { faceMask, type Mask } from '../../../../src/server/video/lip-sync/musetalk/pictures/face-mask.ts';
import { gaussianBlur } from '../../../../src/server/video/lip-sync/musetalk/pictures/gaussian-blur.ts';
import { ellipse, grow, shrink } from '../../../../src/server/video/lip-sync/musetalk/pictures/grow-and-shrink.ts';
import { JAW } from '../../../../src/server/video/lip-sync/musetalk/pictures/painted-region.ts';
import { parserInput } from '../../../../src/server/video/lip-sync/musetalk/pictures/parser-input.ts';
import { blot, classes, drawn } from '../../../fixtures/musetalk/drawn.ts';
import { apart, expected } from '../../../fixtures/musetalk/pictures-expected.ts';

const NOT_AT_ALL = { most: 0, places: 0 };

describe('what masks are made with', () => {
  it.each(expected('blur'))('blurs as OpenCV: %s', (_, { size, kernel }, out) => {
    expect(apart(gaussianBlur(blot(...size), ...size, kernel), out)).toEqual(NOT_AT_ALL);
  });

  const shapeOf = (name: string) =>
    name === 'jaw' ? JAW : ellipse(...(name.split('x').map(Number) as [number, number]));

  it.each(expected('grow'))('grows as OpenCV dilates: %s', (_, { size, shape }, out) => {
    expect(apart(grow(blot(...size), ...size, shapeOf(shape)), out)).toEqual(NOT_AT_ALL);
  });

  it.each(expected('shrink'))('shrinks as OpenCV erodes: %s', (_, { size, shape }, out) => {
    const inverse = blot(...size).map((value) => 255 - value);
    expect(apart(shrink(inverse, ...size, shapeOf(shape)), out)).toEqual(NOT_AT_ALL);
  });
});

describe('what the parser gets', () => {
  it.each(expected('parser'))('is what torchvision makes of it: %s', (_, { size, face }, out) => {
    const planes = parserInput(drawn(...size), cropAround(face));
    expect(planes).toHaveLength(3 * 512 * 512);
    const wanted = new Float32Array(out.buffer);
    const [rows, columns] = [Math.ceil(512 / 29), Math.ceil(512 / 13)];
    expect(wanted).toHaveLength(3 * rows * columns);
    let most = 0;
    for (const [i, value] of wanted.entries()) {
      const [x, y, c] = [i % columns, Math.floor(i / columns) % rows, Math.floor(i / (columns * rows))];
      most = Math.max(most, Math.abs(planes[(c * 512 + 29 * y) * 512 + 13 * x]! - value));
    }
    expect(most).toBeLessThan(1e-6);
  });
});

/** The mask over the whole of `box`. */
function spread({ box, alpha }: Mask, over: Box): Uint8Array {
  const out = new Uint8Array(over.width * over.height);
  for (const [i, value] of alpha.entries()) {
    const [x, y] = [box.x - over.x + (i % box.width), box.y - over.y + Math.floor(i / box.width)];
    expect(x >= 0 && x < over.width && y >= 0 && y < over.height).toBe(true);
    out[y * over.width + x] = value;
  }
  return out;
}

describe('the mask of a face', () => {
  it.each(expected('mask'))('is what OpenCV and Pillow make of it: %s', (_, { face, crop, seen, mode }, out) => {
    expect(cropAround(face)).toEqual(crop);
    const mask = faceMask(classes(...seen), crop, face, mode);
    expect(apart(spread(mask, face), out)).toEqual(NOT_AT_ALL);
    const { width, height } = mask.box;
    const edge = (i: number) => [mask.alpha[i], mask.alpha[i * width], mask.alpha[i * width + width - 1]];
    // No smaller box would do.
    expect(mask.alpha).toHaveLength(width * height);
    expect(mask.alpha.subarray(0, width).some((value) => value > 0)).toBe(true);
    expect(mask.alpha.subarray((height - 1) * width).some((value) => value > 0)).toBe(true);
    const rows = Array.from({ length: height }, (_, i) => edge(i));
    expect(rows.some(([, first]) => first! > 0)).toBe(true);
    expect(rows.some(([, , last]) => last! > 0)).toBe(true);
  });

  it('is the soft lower half of the box where the parser saw no face', () => {
    const face = { x: 150, y: 120, width: 220, height: 280 };
    const mask = faceMask(new Uint8Array(512 * 512), cropAround(face), face, 'jaw');
    const alpha = spread(mask, face);
    const at = (x: number, y: number) => alpha[y * face.width + x]!;
    expect(at(110, 210)).toBe(255);
    expect(at(110, 10)).toBe(0);
    expect(at(110, 140)).toBeGreaterThan(100);
    // It has faded out where the box ends.
    for (let y = 0; y < 280; y++) expect(Math.max(at(0, y), at(219, y))).toBeLessThanOrEqual(2);
    for (let x = 0; x < 220; x++) expect(Math.max(at(x, 279), at(x, 0))).toBeLessThanOrEqual(2);
  });

  it('stays in the box, and is never empty, whatever the parser saw and however small the face', () => {
    const sizes = fc.integer({ min: 1, max: 60 });
    fc.assert(
      fc.property(
        sizes,
        sizes,
        fc.constantFrom('raw', 'neck', 'jaw'),
        fc.constantFrom(0, 1, 10, 14, 18),
        (w, h, mode, seen) => {
          const face = { x: -7, y: 5, width: w, height: h };
          const mask = faceMask(new Uint8Array(512 * 512).fill(seen), cropAround(face), face, mode);
          expect(spread(mask, face).some((value) => value > 0)).toBe(true);
        },
      ),
      { numRuns: 25 },
    );
  });
});
