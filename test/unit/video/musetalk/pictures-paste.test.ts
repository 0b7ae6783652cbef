import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cropAround } from '../../../../src/server/video/lip-sync/musetalk/pictures/crop-around.ts';
import { faceMask } from '../../../../src/server/video/lip-sync/musetalk/pictures/face-mask.ts';
import { pasteFace } from '../../../../src/server/video/lip-sync/musetalk/pictures/paste-face.ts';
import { classes, drawn } from '../../../fixtures/musetalk/drawn.ts';
import { apart, expected } from '../../../fixtures/musetalk/pictures-expected.ts';
import { resizeLinear } from '../../../fixtures/musetalk/resize-linear.ts';

const painted = drawn(256, 256).rgb.map((value) => 255 - value);

describe('pasting a painted face', () => {
  it.each(expected('paste'))('does what OpenCV and Pillow do: %s', (_, { size, face, seen, mode }, changes) => {
    const frame = drawn(...size);
    const wanted = frame.rgb.map((value, i) => value ^ changes[i]!);
    expect(wanted).not.toEqual(frame.rgb);
    pasteFace(frame, painted, face, faceMask(classes(...seen), cropAround(face), face, mode));
    expect(apart(frame.rgb, wanted)).toEqual({ most: 0, places: 0 });
  });

  it('changes nothing but what the mask lets through, wherever face and mask lie', () => {
    const place = fc.integer({ min: -40, max: 60 });
    const length = fc.integer({ min: 1, max: 50 });
    const box = fc.record({ x: place, y: place, width: length, height: length });
    fc.assert(
      fc.property(box, box, fc.constantFrom(0, 100, 255), (face, around, through) => {
        const before = drawn(48, 40);
        const frame = drawn(48, 40);
        const alpha = new Uint8Array(around.width * around.height).fill(through);
        pasteFace(frame, painted, face, { box: around, alpha });
        const resized = resizeLinear({ width: 256, height: 256, rgb: painted }, face.width, face.height);
        for (let i = 0; i < frame.rgb.length; i++) {
          const [x, y, c] = [Math.floor(i / 3) % 48, Math.floor(i / 144), i % 3];
          const inBoth = [face, around].every(
            (one) => x >= one.x && x < one.x + one.width && y >= one.y && y < one.y + one.height,
          );
          const was = before.rgb[i]!;
          const put = inBoth ? resized.rgb[3 * ((y - face.y) * face.width + x - face.x) + c]! : was;
          if (frame.rgb[i] !== Math.round((through * put + (255 - through) * was) / 255)) {
            expect({ x, y, is: frame.rgb[i] }).toEqual({
              x,
              y,
              is: Math.round((through * put + (255 - through) * was) / 255),
            });
          }
        }
      }),
      { numRuns: 200 },
    );
  });
});
