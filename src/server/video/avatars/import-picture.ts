import type { Box, Crop, Face, ImportedPicture, Picture } from '../contracts.ts';
import { findFaces } from '../faces/find-faces.ts';
import { mapFace } from '../faces/map-face.ts';
import { cutBox } from '../pictures/cut-box.ts';
import { type Orientation, turnUpright } from '../pictures/orientation.ts';
import { PictureProblem } from '../pictures/picture-problem.ts';
import { writePng } from '../pictures/png.ts';
import { PICTURE_LIMITS, type PictureLimits, readPicture } from '../pictures/read-picture.ts';
import { type Cut, cutAvatar, frameFace } from './frame-face.ts';

/** Least height of a face, forehead to chin, in pixels of the given picture. */
const LEAST_FACE = 128;
/** A face this much lower than the largest one is of somebody in the background. */
const BACKGROUND = 0.4;

/** What undoes none, one, two and three quarters of a turn clockwise. */
const QUARTERS: readonly Orientation[] = [1, 8, 3, 6];

type Found = { readonly cut: Cut; readonly face: Face };
type Problem = Extract<ImportedPicture, { ok: false }>;

/**
 * An avatar's picture of a photo: PNG, JPEG or WebP in, a square PNG around its only face out, or why not. With `crop` it is
 * that square (`crop` is of the upright picture: x and size are shares of its width, y of its height; moved to lie within it),
 * and the largest face in it. Rejects with a `VideoError` where the networks that find faces are not installed, or the signal's reason.
 */
export async function importPicture(
  bytes: Uint8Array,
  crop: Crop | undefined,
  signal: AbortSignal,
  limits: PictureLimits = PICTURE_LIMITS,
): Promise<ImportedPicture> {
  let picture: Picture;
  try {
    picture = await readPicture(bytes, limits);
  } catch (error) {
    if (error instanceof PictureProblem) return { ok: false, problem: error.problem, message: error.message };
    throw error;
  }
  signal.throwIfAborted();
  const { width, height } = picture;
  if (Math.min(width, height) < LEAST_FACE) {
    const message = `The picture has ${width} x ${height} pixels; choose a larger one, where the face has ${LEAST_FACE} or more.`;
    return { ok: false, problem: 'too_small', message };
  }
  const found = crop ? await inCrop(picture, crop, signal) : await inWhole(picture);
  signal.throwIfAborted();
  if (!('cut' in found)) return found;
  const upright = await turned(picture, found, crop !== undefined, signal);
  signal.throwIfAborted();
  const made = cutAvatar(upright.picture, upright.face, upright.cut);
  return { ok: true, png: await writePng(made.picture), face: made.face };
}

async function inWhole(picture: Picture): Promise<Found | Problem> {
  const all = await findFaces(picture);
  const [face, ...others] = all.filter(({ box }) => box.height > BACKGROUND * all[0]!.box.height);
  if (!face)
    return problem('no_face', 'No face was found; choose the part of the picture that shows one.', picture, []);
  if (others.length > 0) {
    const message = `There are ${others.length + 1} faces in the picture; choose the part that shows one of them.`;
    return problem('several_faces', message, picture, [face, ...others]);
  }
  return tooSmall(picture, face) ?? { face, cut: frameFace(face.box, picture.width, picture.height) };
}

async function inCrop(picture: Picture, crop: Crop, signal: AbortSignal): Promise<Found | Problem> {
  const { width, height } = picture;
  const side = Math.max(Math.round(Math.min(crop.size * width, width, height)), 1);
  const left = Math.round(Math.min(Math.max(crop.x * width, 0), width - side));
  const top = Math.round(Math.min(Math.max(crop.y * height, 0), height - side));
  const [face] = await findFaces(cutBox(picture, { x: left, y: top, width: side, height: side }));
  signal.throwIfAborted();
  if (!face) {
    const message = 'No face was found in the part that you chose; choose more around it, or another part.';
    return problem('no_face', message, picture, await findFaces(picture));
  }
  const chin = Math.max(...face.jaw.map(({ y }) => y));
  if (chin > side) {
    const message = 'The chin is cut off in the part that you chose; choose more below it.';
    return problem('no_face', message, picture, [mapFace(face, 1, left, top)]);
  }
  const moved = mapFace(face, 1, left, top);
  return tooSmall(picture, moved) ?? { face: moved, cut: { left, top, side } };
}

/** A picture that does not say how the camera was held shows a face on its side; such a one is turned by a quarter. */
async function turned(
  picture: Picture,
  { cut, face }: Found,
  isPart: boolean,
  signal: AbortSignal,
): Promise<Found & { readonly picture: Picture }> {
  const { left, top, side } = cut;
  const turn = uprightOf(face);
  if (turn === 1) return { picture, cut, face };
  const whole = isPart ? cutBox(picture, { x: left, y: top, width: side, height: side }) : picture;
  const upright = turnUpright(whole, turn);
  const found = isPart ? await inCrop(upright, { x: 0, y: 0, size: 1 }, signal) : await inWhole(upright);
  return 'cut' in found && uprightOf(found.face) === 1 ? { picture: upright, ...found } : { picture, cut, face };
}

/** How the picture must be turned for this face to be upright, give or take an eighth of a turn. */
function uprightOf({ leftEye, rightEye }: Face): Orientation {
  const eyes = [leftEye, rightEye] as const;
  const [left, right] = eyes.map((eye) => ({
    x: eye.reduce((sum, { x }) => sum + x, 0) / eye.length,
    y: eye.reduce((sum, { y }) => sum + y, 0) / eye.length,
  }));
  const quarters = Math.round(Math.atan2(right!.y - left!.y, right!.x - left!.x) / (Math.PI / 2));
  return QUARTERS[(quarters + 4) % 4]!;
}

function tooSmall(picture: Picture, face: Face): Problem | undefined {
  if (face.box.height >= LEAST_FACE) return undefined;
  const message = `The face is ${Math.round(face.box.height)} pixels high; choose a picture where it has ${LEAST_FACE} or more.`;
  return problem('too_small', message, picture, [face]);
}

function problem(name: Problem['problem'], message: string, picture: Picture, faces: readonly Face[]): Problem {
  const { width, height } = picture;
  return { ok: false, problem: name, message, width, height, faces: faces.map(({ box }) => whole(box)) };
}

const whole = ({ x, y, width, height }: Box): Box => ({
  x: Math.round(x),
  y: Math.round(y),
  width: Math.round(width),
  height: Math.round(height),
});
