import { describe, expect, it } from 'vitest';
import { type Box, type Point, VideoError } from '../../../../src/server/video/contracts.ts';
import { faceBox } from '../../../../src/server/video/lip-sync/musetalk/prepare/face-box.ts';

const PICTURE = { width: 512, height: 400 };
const KNOWN: Box = { x: 150, y: 60, width: 200, height: 240 };

/** Points of a face: ears at `left` and `right`, the bridge of the nose at `middle`, the chin at `bottom`. */
function points(left: number, middle: number, right: number, bottom: number): Point[] {
  const all = Array.from({ length: 68 }, () => ({ x: (left + right) / 2, y: middle }));
  all[0] = { x: left, y: middle - 10 };
  all[16] = { x: right, y: middle - 10 };
  all[8] = { x: (left + right) / 2, y: bottom };
  return all;
}
/** From one pixel to one before another. */
const edges = ({ x, y, width, height }: Box) => [x, y, x + width, y + height];
const found = (face: Point[], margin = 0, known = KNOWN) => edges(faceBox(face, known, margin, PICTURE));
const known = edges(KNOWN);

describe('the box of a face', () => {
  it('reaches from ear to ear, and as far above the bridge of the nose as the chin is below it', () => {
    expect(found(points(160, 190, 340, 290))).toEqual([160, 90, 340, 290]);
  });

  it('leaves out fractions of pixels, of every point before anything is computed', () => {
    expect(found(points(160.9, 190.9, 340.9, 290.2))).toEqual([160, 90, 340, 290]);
  });

  it('begins at the top of the picture where the forehead would reach beyond it', () => {
    expect(found(points(160, 130, 340, 290))).toEqual([160, 0, 340, 290]);
  });

  it('goes on below the chin by the margin, as far as the picture does', () => {
    expect(found(points(160, 190, 340, 290), 10)).toEqual([160, 90, 340, 300]);
    expect(found(points(160, 250, 340, 395), 10)).toEqual([160, 105, 340, 400]);
    expect(found(points(160, 250, 340, 420), 10)).toEqual([160, 80, 340, 400]);
  });

  it('ends with the picture on the right', () => {
    const right = { x: 350, y: 60, width: 162, height: 240 };
    expect(found(points(360, 190, 560, 290), 0, right)).toEqual([360, 90, 512, 290]);
  });

  it('is the known one where a point lies left of the picture, as those that are not seen do', () => {
    expect(found(points(-1, 190, 340, 290))).toEqual(known);
    expect(found(points(-0.9, 190, 340, 290), 0, { ...KNOWN, x: 0, width: 340 })).toEqual([0, 90, 340, 290]);
  });

  it('is the known one where the points have no width', () => {
    expect(found(points(250, 190, 250.9, 290))).toEqual(known);
  });

  it('is the known one where the chin is not below the nose', () => {
    // The bridge of the nose is lowest, so that nothing is above it either.
    expect(found(points(160, 190, 340, 190))).toEqual(known);
  });

  it('is the known one where the points lie on somebody else', () => {
    expect(found(points(380, 190, 500, 290))).toEqual(known);
    // They touch: 20 of 200 columns.
    expect(found(points(330, 190, 510, 290))).toEqual(known);
  });

  it('is that of the points where they are on the known face, however that was measured', () => {
    expect(found(points(180, 200, 320, 250))).toEqual([180, 150, 320, 250]);
  });

  it('has the margin below the known one too, which is rounded and cut to the picture', () => {
    const face = points(-1, 190, 340, 290);
    expect(found(face, 10)).toEqual([150, 60, 350, 310]);
    expect(found(face, 10, { x: -12.4, y: -3.6, width: 200.2, height: 400 })).toEqual([0, 0, 188, 400]);
    expect(found(face, 0, { x: 400.5, y: 100.4, width: 200, height: 100.2 })).toEqual([401, 100, 512, 201]);
  });

  it('is an error with its fix where no part of the face is in the picture', () => {
    const gone = () => faceBox(points(-1, 0, 0, 0), { x: 600, y: 10, width: 50, height: 50 }, 10, PICTURE);
    expect(gone).toThrow(VideoError);
    expect(gone).toThrow(/leaves the picture.*choose a video/);
  });
});
