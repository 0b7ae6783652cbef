import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Converted, FileFacts } from './converted.ts';

/** Reads every file of `folder`; rejects with the signal's reason once that aborts. */
export async function fileFacts(folder: string, signal: AbortSignal): Promise<Record<string, FileFacts>> {
  const facts: Record<string, FileFacts> = {};
  for (const name of (await readdir(folder)).sort()) {
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const piece of createReadStream(join(folder, name), { highWaterMark: 2 ** 20 })) {
      signal.throwIfAborted();
      hash.update(piece);
      bytes += piece.length;
    }
    facts[name] = { bytes, sha256: hash.digest('hex') };
  }
  return facts;
}

/** The names of the converted files whose bytes are not those that were written; reads all of them. */
export async function wrongFiles({ folder, files }: Converted, signal: AbortSignal): Promise<string[]> {
  const found = await fileFacts(folder, signal);
  return Object.keys(files).filter((name) => files[name]!.sha256 !== found[name]?.sha256);
}
