import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { fromHalf, toHalf } from '../../../../weights/half.ts';
import { nameOfOwn } from '../../../own-folder.ts';
import { LATENT_CHANNELS, LATENT_SIZE } from '../networks.ts';
import type { PreparedFace } from './prepare-face.ts';

/** Changes when such folders of before cannot be read any more, or faces would be prepared otherwise; part of their names. */
export const FACES_FORMAT = 1;

/** Which frames faces belong to: without it, those of another clip could be taken for them. */
export type FramesFacts = {
  readonly width: number;
  readonly height: number;
  readonly frames: number;
  /** The key of the frame in the middle; the first one is the same in all clips of an avatar. */
  readonly middle: string;
};

/** Prepared faces on the disk. */
export type FacesFile = {
  /** The face of a frame; undefined where it is damaged or gone. */
  read(frame: number): Promise<PreparedFace | undefined>;
};

const FACTS = 'faces.json';
/** Of each face its latents as 16-bit floats, then its mask's bytes. */
const NUMBERS = 'faces.raw';
const LATENTS = LATENT_CHANNELS * LATENT_SIZE * LATENT_SIZE;

const whole = z.number().int().min(0);
const box = z.strictObject({ x: whole, y: whole, width: whole, height: whole });
const facts = z.strictObject({
  format: z.literal(FACES_FORMAT),
  width: whole,
  height: whole,
  middle: z.string(),
  /** Which of the faces each frame has. */
  frames: z.array(whole),
  faces: z.array(z.strictObject({ box, mask: box, offset: whole, crc: whole })),
});

/** Opens what `writeFaces` wrote into `folder`; undefined where that is missing, damaged or of other frames. */
export async function readFaces(folder: string, of: FramesFacts): Promise<FacesFile | undefined> {
  const numbers = join(folder, NUMBERS);
  let written: z.infer<typeof facts>;
  try {
    written = facts.parse(JSON.parse(await readFile(join(folder, FACTS), 'utf8')));
    const { faces, frames, width, height, middle } = written;
    const { size } = await stat(numbers);
    if (width !== of.width || height !== of.height || middle !== of.middle || frames.length !== of.frames)
      return undefined;
    if (!frames.every((face) => face < faces.length)) return undefined;
    if (!faces.every((face) => isWithin(face.box, of) && isWithin(face.mask, of))) return undefined;
    if (faces.reduce((at, face) => (face.offset === at ? at + lengthOf(face.mask) : Number.NaN), 0) !== size)
      return undefined;
  } catch {
    return undefined;
  }
  return {
    async read(frame) {
      const face = written.faces[written.frames[frame]!]!;
      const bytes = await piece(numbers, face.offset, lengthOf(face.mask)).catch(() => undefined);
      if (!bytes || crc32(bytes) !== face.crc) return undefined;
      const latents = fromHalf(new Uint16Array(bytes.buffer, 0, LATENTS));
      return { box: face.box, latents, mask: { box: face.mask, alpha: bytes.subarray(2 * LATENTS) } };
    },
  };
}

/**
 * Writes the faces of all frames into `folder`, whole or not at all, each face once, however many frames share the object; what
 * another process has written there meanwhile stays. Rejects with the system's error, or the signal's reason once that aborts.
 */
export async function writeFaces(
  folder: string,
  of: FramesFacts,
  faceOf: readonly PreparedFace[],
  signal: AbortSignal,
): Promise<void> {
  // Under a name by which whoever comes next knows that it was left unfinished.
  const scratch = join(dirname(folder), nameOfOwn());
  await mkdir(scratch, { mode: 0o700 });
  try {
    const indices = new Map([...new Set(faceOf)].map((face, index) => [face, index]));
    const faces: z.infer<typeof facts>['faces'] = [];
    {
      await using file = await open(join(scratch, NUMBERS), 'wx', 0o600);
      let offset = 0;
      for (const { box, latents, mask } of indices.keys()) {
        signal.throwIfAborted();
        const bytes = Buffer.concat([new Uint8Array(toHalf(latents).buffer), mask.alpha]);
        await file.writeFile(bytes);
        faces.push({ box, mask: mask.box, offset, crc: crc32(bytes) });
        offset += bytes.length;
      }
    }
    const { width, height, middle } = of;
    const frames = faceOf.map((face) => indices.get(face)!);
    const written: z.infer<typeof facts> = { format: FACES_FORMAT, width, height, middle, frames, faces };
    await writeFile(join(scratch, FACTS), JSON.stringify(written), { mode: 0o600 });
    signal.throwIfAborted();
    await moveIn(scratch, folder, of);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function moveIn(scratch: string, folder: string, of: FramesFacts): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await rename(scratch, folder);
    } catch (error) {
      // Somebody else was quicker; who is reading that now must not lose it.
      if (await readFaces(folder, of)) return;
      if (tries === 3) throw error;
      await rm(folder, { recursive: true, force: true });
    }
  }
}

/** Opened for each face: this way there is nothing to close, and it takes a tenth of a millisecond. */
async function piece(path: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  await using file = await open(path, 'r');
  const bytes = new Uint8Array(length);
  for (let filled = 0; filled < length; ) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, offset + filled);
    if (bytesRead === 0) throw new Error('The file ended early.');
    filled += bytesRead;
  }
  return bytes;
}

type Whole = z.infer<typeof box>;

const lengthOf = (mask: Whole): number => 2 * LATENTS + mask.width * mask.height;

const isWithin = ({ x, y, width, height }: Whole, of: FramesFacts): boolean =>
  x + width <= of.width && y + height <= of.height;
