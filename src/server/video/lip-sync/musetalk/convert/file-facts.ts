import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256Of } from '../../../../models/checksum.ts';
import type { Converted, FileFacts } from './converted.ts';

/** Reads every file of `folder`; rejects with the signal's reason once that aborts. */
export async function fileFacts(folder: string, signal: AbortSignal): Promise<Record<string, FileFacts>> {
  const facts: Record<string, FileFacts> = {};
  for (const name of (await readdir(folder)).sort()) {
    const file = join(folder, name);
    facts[name] = { bytes: (await stat(file)).size, sha256: await sha256Of(file, signal) };
  }
  return facts;
}

/** The names of the converted files whose bytes are not those that were written; reads all of them. */
export async function wrongFiles({ folder, files }: Converted, signal: AbortSignal): Promise<string[]> {
  const found = await fileFacts(folder, signal);
  return Object.keys(files).filter((name) => files[name]!.sha256 !== found[name]?.sha256);
}
