import type { Box, Picture } from '../../../contracts.ts';
import { FACE_SIZE, type MaskMode, type MuseTalkNetworks } from '../networks.ts';
import { cropAround } from '../pictures/crop-around.ts';
import { faceMask, type Mask } from '../pictures/face-mask.ts';
import { parserInput } from '../pictures/parser-input.ts';
import { resizeLanczos4 } from '../pictures/resize-lanczos4.ts';
import { faceBox } from './face-box.ts';
import { findFacePoints } from './pose.ts';

/** What painting a face over one picture needs to know of it. */
export type PreparedFace = {
  /** What is painted over, in whole pixels of the picture. */
  readonly box: Box;
  /** The face as the networks see it, [8, 32, 32]. */
  readonly latents: Float32Array;
  /** How much of the painted face is seen where. */
  readonly mask: Mask;
};

/** How faces are to be prepared; see `MuseTalkSettings`. */
export type FaceSettings = { readonly mask: MaskMode; readonly margin: number };

/**
 * Prepares the face of a picture; where it is not found, the one in the box `fallback`. Rejects with a `VideoError` where that lies
 * outside the picture or a network fails, and with the signal's reason once that aborts.
 */
export async function prepareFace(
  networks: Pick<MuseTalkNetworks, 'pose' | 'latents' | 'parse'>,
  picture: Picture,
  fallback: Box,
  settings: FaceSettings,
  signal: AbortSignal,
): Promise<PreparedFace> {
  const box = faceBox(await findFacePoints(networks, picture, signal), fallback, settings.margin, picture);
  const { rgb } = resizeLanczos4(picture, box, FACE_SIZE, FACE_SIZE);
  const latents = await networks.latents(rgb, signal);
  const crop = cropAround(box);
  const classes = await networks.parse(parserInput(picture, crop), signal);
  signal.throwIfAborted();
  return { box, latents, mask: faceMask(classes, crop, box, settings.mask) };
}
