import type { Box, Face, Picture, Point } from '../contracts.ts';
import { halved, type Square, sampleSquare } from '../pictures/sample-square.ts';
import { findBoxes, type Glimpse, viewsOf } from './find-boxes.ts';
import { mapFace } from './map-face.ts';
import { type FaceNetworks, faceNetworks } from './networks.ts';

/** Which of FaceMesh's 468 points make each contour, in the order of `Face`. */
const CONTOURS = {
  outerLips: [61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146],
  innerLips: [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95],
  leftEye: [33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7],
  rightEye: [362, 398, 384, 385, 386, 387, 388, 466, 263, 249, 390, 373, 374, 380, 381, 382],
  jaw: [234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361, 323, 454],
} as const;
const EYE_CORNERS = [33, 263] as const;
/** How much more than the face FaceMesh was trained to see, on each axis. */
const AROUND = 1.5;
const ENOUGH = 0.5;
const SAME_FACE = 0.3;
/** More pixels than this, on the longer side, show the networks nothing new. */
const FINE = 2400;

/**
 * The faces in a picture, the largest first; none is fine. Rejects with a `VideoError` where the networks are not installed.
 * Takes some 20 ms of a core for each picture and face, after half a second for the first.
 */
export async function findFaces(picture: Picture): Promise<Face[]> {
  if (Math.max(picture.width, picture.height) > FINE) {
    return (await findFaces(halved(picture))).map((face) => mapFace(face, 2));
  }
  const networks = await faceNetworks();
  for (const squares of viewsOf(picture)) {
    const faces: Face[] = [];
    for (const square of squares) {
      for (const glimpse of await findBoxes(networks.finder, picture, square)) {
        const face = await outline(networks, picture, glimpse);
        if (face && !faces.some(({ box }) => overlap(box, face.box) > SAME_FACE)) faces.push(face);
      }
    }
    if (faces.length > 0) return faces.sort((a, b) => b.box.height - a.box.height);
  }
  return [];
}

async function outline(networks: FaceNetworks, picture: Picture, glimpse: Glimpse): Promise<Face | undefined> {
  const { centre, side, eyes } = glimpse;
  const first = await points(networks, picture, { centre, side: AROUND * side, angle: angleOf(...eyes) });
  if (!first) return undefined;
  // What was found says better than the glimpse where to look.
  const box = boundingBox(first);
  const better = {
    centre: { x: box.x + box.width / 2, y: box.y + box.height / 2 },
    side: AROUND * Math.max(box.width, box.height),
    angle: angleOf(first[EYE_CORNERS[0]]!, first[EYE_CORNERS[1]]!),
  };
  const mesh = await points(networks, picture, better);
  if (!mesh) return undefined;
  const contour = (name: keyof typeof CONTOURS) => CONTOURS[name].map((index) => mesh[index]!);
  return {
    box: boundingBox(mesh),
    outerLips: contour('outerLips'),
    innerLips: contour('innerLips'),
    leftEye: contour('leftEye'),
    rightEye: contour('rightEye'),
    jaw: contour('jaw'),
  };
}

/** All points of the face in a square, in pixels of the picture; nothing where there is no face. */
async function points({ mesh }: FaceNetworks, picture: Picture, square: Square): Promise<Point[] | undefined> {
  const [numbers, score] = await mesh.run(sampleSquare(picture, square, mesh.size, [0, 1]));
  if (!(score![0]! >= ENOUGH)) return undefined;
  const step = square.side / mesh.size;
  const [cos, sin] = [step * Math.cos(square.angle), step * Math.sin(square.angle)];
  return Array.from({ length: numbers!.length / 3 }, (_, i) => {
    const right = numbers![3 * i]! - mesh.size / 2;
    const down = numbers![3 * i + 1]! - mesh.size / 2;
    return { x: square.centre.x + right * cos - down * sin, y: square.centre.y + right * sin + down * cos };
  });
}

const angleOf = (from: Point, to: Point): number => Math.atan2(to.y - from.y, to.x - from.x);

function boundingBox(all: readonly Point[]): Box {
  const [left, top] = [Math.min(...all.map(({ x }) => x)), Math.min(...all.map(({ y }) => y))];
  const [right, bottom] = [Math.max(...all.map(({ x }) => x)), Math.max(...all.map(({ y }) => y))];
  return { x: left, y: top, width: right - left, height: bottom - top };
}

/** Common area over the area of both together. */
function overlap(a: Box, b: Box): number {
  const across = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const down = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  const common = Math.max(across, 0) * Math.max(down, 0);
  return common / (a.width * a.height + b.width * b.height - common);
}
