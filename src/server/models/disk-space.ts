import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ModelStoreError } from './model-store-error.ts';

/** Bytes that can still be written below a folder, which need not exist yet. */
export async function freeBytes(folder: string): Promise<number> {
  for (let at = folder; ; at = dirname(at)) {
    const about = await statfs(at).catch(() => undefined);
    if (about) return about.bavail * about.bsize;
    if (at === dirname(at)) return Number.POSITIVE_INFINITY;
  }
}

/** Why nothing can be written below a folder, which need not exist yet; undefined when it can. */
export async function whyReadOnly(folder: string): Promise<string | undefined> {
  for (let at = folder; ; at = dirname(at)) {
    try {
      if (!(await stat(at)).isDirectory()) return `${at} is a file`;
      await access(at, constants.W_OK);
      return undefined;
    } catch (error) {
      const { code = '', message } = error as NodeJS.ErrnoException;
      if (!['ENOENT', 'ENOTDIR'].includes(code) || at === dirname(at)) return message;
    }
  }
}

/** Throws `ModelStoreError` unless a twentieth more than `needed` bytes is free. */
export function checkSpace(folder: string, needed: number, free: number): void {
  const wanted = Math.ceil(needed * 1.05);
  if (free >= wanted) return;
  const gb = (bytes: number) => (bytes / 1e9).toFixed(2);
  throw new ModelStoreError(
    `The disk of ${folder} has ${gb(free)} GB free, but the download needs ${gb(wanted)} GB. Free ${gb(wanted - free)} GB, or set models.folder in config.yml to a folder on a larger disk.`,
  );
}
