import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

const NAME = /^run-(\d+)-[0-9a-f]+$/;

/** A name that says which process a folder or file belongs to, so that `removeOrphans` knows when its process is gone. */
export const nameOfOwn = (): string => `run-${process.pid}-${Math.random().toString(16).slice(2, 10)}`;

/** Removes from `folder` what processes that no longer run left under names of `nameOfOwn`; all of it was unfinished. */
export async function removeOrphans(folder: string, own: ReadonlySet<string> = new Set()): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const pid = Number(NAME.exec(name)?.[1] ?? 0);
    if (pid === 0 || own.has(name) || (pid !== process.pid && isRunning(pid))) continue;
    await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** Makes a folder for what this process has not finished below `folder`, readable by nobody else. */
export async function ownFolder(folder: string): Promise<string> {
  const made = join(folder, nameOfOwn());
  await mkdir(made, { recursive: true, mode: 0o700 });
  return made;
}

/** Puts a finished folder in the place of another, which may be there or come at the same time. */
export async function putFolder(finished: string, place: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await rename(finished, place);
    } catch (error) {
      // What is to be moved is gone: what is there had better stay.
      if (tries === 3 || (error as NodeJS.ErrnoException).code === 'ENOENT') throw error;
      await rm(place, { recursive: true, force: true });
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
