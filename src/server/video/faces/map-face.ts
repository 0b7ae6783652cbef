import type { Face, Point } from '../contracts.ts';

/** The face in another picture's pixels: where its places are times `scale`, then moved by `right` and `down`. */
export function mapFace(face: Face, scale: number, right = 0, down = 0): Face {
  const point = ({ x, y }: Point): Point => ({ x: x * scale + right, y: y * scale + down });
  return {
    box: { ...point(face.box), width: face.box.width * scale, height: face.box.height * scale },
    outerLips: face.outerLips.map(point),
    innerLips: face.innerLips.map(point),
    leftEye: face.leftEye.map(point),
    rightEye: face.rightEye.map(point),
    jaw: face.jaw.map(point),
  };
}
