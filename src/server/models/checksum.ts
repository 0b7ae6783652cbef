import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';

const CHUNK = 1 << 20;

/**
 * The digest by which the hub names a file's bytes: for 64 hex digits the SHA-256, for 40 the SHA-1 that git gives a blob
 * (of `blob <size>\0` and the bytes). Rejects with the signal's reason when it aborts.
 */
export const digestOf = (file: string, likeDigest: string, signal: AbortSignal): Promise<string> =>
  hashed(file, likeDigest.length === 40, signal);

/** The SHA-256 of a file's bytes, 64 hex digits. Rejects with the signal's reason when it aborts. */
export const sha256Of = (file: string, signal: AbortSignal): Promise<string> => hashed(file, false, signal);

async function hashed(file: string, isGit: boolean, signal: AbortSignal): Promise<string> {
  const handle = await open(file, 'r');
  try {
    const hash = createHash(isGit ? 'sha1' : 'sha256');
    if (isGit) hash.update(`blob ${(await handle.stat()).size}\0`);
    const buffer = Buffer.allocUnsafe(CHUNK);
    for (;;) {
      signal.throwIfAborted();
      const { bytesRead } = await handle.read(buffer, 0, CHUNK, null);
      if (bytesRead === 0) return hash.digest('hex');
      hash.update(buffer.subarray(0, bytesRead));
    }
  } finally {
    await handle.close();
  }
}
