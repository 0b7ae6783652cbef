import type { Box, Face, Picture } from '../contracts.ts';
import { mapFace } from '../faces/map-face.ts';
import { cutSquare } from '../pictures/cut-square.ts';

/** Width and height of an avatar's picture, in pixels. */
export const AVATAR_SIZE = 512;

/** A square in a picture, in pixels. */
export type Cut = { readonly left: number; readonly top: number; readonly side: number };

/** Shares of the finished picture's height: the face from forehead to chin, at most, and where its middle is. */
const FACE = 0.4;
const FACE_AT_MOST = 0.7;
const MIDDLE = 0.46;

/**
 * Head and shoulders around a face: within the picture wherever that is large enough, with less around the face where it is
 * not. Only a picture that holds little more than the face is exceeded.
 */
export function frameFace(face: Box, width: number, height: number): Cut {
  const wanted = face.height / FACE;
  const side = Math.max(Math.min(wanted, width, height), face.height / FACE_AT_MOST);
  const within = (start: number, length: number) =>
    side > length ? (length - side) / 2 : Math.min(Math.max(start, 0), length - side);
  return {
    left: within(face.x + face.width / 2 - side / 2, width),
    top: within(face.y + face.height / 2 - side * MIDDLE, height),
    side,
  };
}

/** The square as an avatar's picture, and the face in its pixels. */
export function cutAvatar(picture: Picture, face: Face, { left, top, side }: Cut): { picture: Picture; face: Face } {
  const scale = AVATAR_SIZE / side;
  return {
    picture: cutSquare(picture, left, top, side, AVATAR_SIZE),
    face: mapFace(face, scale, -left * scale, -top * scale),
  };
}
