import { access, constants, mkdir, statfs } from 'node:fs/promises';
import { VideoError } from '../../../contracts.ts';
import type { Sources } from './converted.ts';

/** What is written beside the weights: graphs and examples, and room that file systems take for themselves. */
const BESIDE_BYTES = 100_000_000;

/** The sizes of the published files. */
export type SourceSizes = Readonly<Record<keyof Sources, { readonly bytes: number }>>;

/**
 * Makes `folder`, below which the conversion works; rejects with a `VideoError` where it cannot be written or its disk has not
 * enough room for what becomes of the published files.
 */
export async function makeRoom(folder: string, sizes: SourceSizes): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOSPC') throw noRoom(folder, sizes, 0, cause);
    const fix = 'give this user the right to, or set cache.folder to another folder';
    throw new VideoError(`${folder} cannot be written (${code}), where MuseTalk is converted to; ${fix}.`, { cause });
  }
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < bytesNeeded(sizes)) throw noRoom(folder, sizes, bavail * bsize);
}

/** That the disk of `folder` has too little room. */
export function noRoom(folder: string, sizes: SourceSizes, free: number, cause?: unknown): VideoError {
  const gb = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  const message = `Converting MuseTalk takes ${gb(bytesNeeded(sizes))} on the disk of ${folder} and ${gb(free)} are free; free some, or set cache.folder to another disk.`;
  return new VideoError(message, { cause });
}

/** The UNet is kept with half its bits, and the autoencoder's encoder with all of them. */
const bytesNeeded = ({ unet, vae, whisper, parser, pose }: SourceSizes): number =>
  0.52 * unet.bytes + vae.bytes + whisper.bytes + parser.bytes + pose.bytes + BESIDE_BYTES;
