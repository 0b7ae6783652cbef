import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A holder touches its lock this often; one not touched for `STALE_MS` is left over from a process that is gone. */
const TOUCH_MS = 5_000;
const STALE_MS = 60_000;
const LOOK_MS = 200;

/** What this process holds: after a restart in a container, a dead process may have had the same number. */
const held = new Set<string>();

/**
 * Waits until no other process holds `file`, then holds it until the returned function is called. `onWait` is told, again
 * and again, that another holds it. Rejects with the signal's reason when it aborts.
 */
export async function holdLock(file: string, onWait: () => void, signal: AbortSignal): Promise<() => Promise<void>> {
  await mkdir(dirname(file), { recursive: true });
  const token = randomUUID();
  const text = JSON.stringify({ pid: process.pid, host: hostname(), token });
  held.add(token);
  try {
    while (!(await take(file, text))) {
      signal.throwIfAborted();
      if (await breakStale(file)) continue;
      onWait();
      await sleep(LOOK_MS, undefined, { signal });
    }
  } catch (error) {
    held.delete(token);
    throw error;
  }
  const touch = setInterval(() => void utimes(file, new Date(), new Date()).catch(() => {}), TOUCH_MS);
  touch.unref();
  return async () => {
    clearInterval(touch);
    held.delete(token);
    // It may have been taken for stale, as after a long sleep of the machine, and be another's now.
    if ((await readFile(file, 'utf8').catch(() => '')) === text) await rm(file, { force: true });
  };
}

async function take(file: string, text: string): Promise<boolean> {
  try {
    await writeFile(file, text, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Takes away what a dead process left; true if the lock is worth another try at once. */
async function breakStale(file: string): Promise<boolean> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return true;
  const about = await stat(file).catch(() => undefined);
  if (!about) return true;
  if (Date.now() - about.mtimeMs < STALE_MS && isHeld(text)) return false;
  // Renamed first: of two that find it stale, the slower must not take away the lock that the faster has made since.
  const aside = `${file}.${randomUUID()}`;
  try {
    await rename(file, aside);
    if ((await readFile(aside, 'utf8')) !== text) await link(aside, file).catch(() => {});
  } catch {
    return true;
  } finally {
    await rm(aside, { force: true });
  }
  return true;
}

function isHeld(text: string): boolean {
  try {
    const { pid, host, token } = JSON.parse(text);
    if (host !== hostname()) return true;
    if (pid === process.pid) return held.has(token);
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Half-written, or nobody has that number; EPERM is somebody else's living process.
    return error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
