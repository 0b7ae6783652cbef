import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const EVERY_MS = 100;

/**
 * The most memory that a process and those which it started have held at the same time until `ended`, in bytes: looked at ten
 * times a second, each counted with its highest so far (VmHWM), so that no peak is missed. Linux only; elsewhere undefined.
 */
export async function peakMemory(pid: number, ended: AbortSignal): Promise<number | undefined> {
  if (process.platform !== 'linux') return undefined;
  let most = 0;
  while (!ended.aborted) {
    const family = await familyOf(pid);
    const each = await Promise.all(family.map(highest));
    most = Math.max(
      most,
      each.reduce((sum, bytes) => sum + bytes, 0),
    );
    await sleep(EVERY_MS, undefined, { signal: ended }).catch(() => {});
  }
  return most;
}

async function familyOf(pid: number): Promise<number[]> {
  const children = new Map<number, number[]>();
  const pids = (await readdir('/proc')).map(Number).filter(Number.isInteger);
  for (const one of pids) {
    // The name, in brackets, may hold anything.
    const stat = await readFile(`/proc/${one}/stat`, 'utf8').catch(() => '');
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    children.set(parent, [...(children.get(parent) ?? []), one]);
  }
  const family = [pid];
  for (const one of family) family.push(...(children.get(one) ?? []));
  return family;
}

async function highest(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1_024;
}
