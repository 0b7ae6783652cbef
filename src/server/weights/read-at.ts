import type { FileHandle } from 'node:fs/promises';
import { damaged } from './file-errors.ts';
import { WeightsError } from './weights.ts';

/** So much at once: a signal that aborts is heard between two pieces. */
const PIECE = 2 ** 25;

/** An open file of weights. */
export type Source = { readonly file: string; readonly handle: FileHandle; readonly size: number };

/** Bytes of a file; a `WeightsError` where it ends before them, or cannot be read. The caller bounds `length`. */
export async function readAt(source: Source, position: number, length: number): Promise<Buffer> {
  // The file's end is asked first: no memory is taken for what is not there.
  if (position + length > source.size) throw cutOff(source);
  const bytes = Buffer.alloc(length);
  await fill(bytes, source, position);
  return bytes;
}

/** Fills `bytes` from a place of the file; rejects as `readAt` does, and with the signal's reason once that aborts. */
export async function fill(bytes: Uint8Array, source: Source, position: number, signal?: AbortSignal): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    signal?.throwIfAborted();
    const length = Math.min(PIECE, bytes.length - done);
    const { bytesRead } = await source.handle.read(bytes, done, length, position + done).catch((error: Error) => {
      throw new WeightsError(`${source.file} cannot be read (${error.message}); fetch it again.`);
    });
    if (bytesRead === 0) throw cutOff(source);
    done += bytesRead;
  }
  signal?.throwIfAborted();
}

const cutOff = ({ file, size }: Source) =>
  new WeightsError(`${file} is cut off: it has ${size} bytes and names more; fetch it again.`);

/** A whole number of 64 bits; a `WeightsError` where it is larger than any file. */
export function number64(bytes: Buffer, at: number, file: string): number {
  const value = Number(bytes.readBigUInt64LE(at));
  if (!Number.isSafeInteger(value)) throw damaged(file, 'it names a place beyond any file');
  return value;
}
