import type { Probe } from './machine.ts';
import { outputOf, type System } from './system.ts';

/** Memory in all and what can be had now, the smaller of the machine's and the container's. */
export async function probeMemory(system: System, signal: AbortSignal): Promise<Probe['memory']> {
  const machine = await machineMemory(system, signal);
  const container = await containerMemory(system);
  if (!container) return machine;
  const totalBytes = Math.min(machine.totalBytes, container.totalBytes);
  return { totalBytes, availableBytes: Math.min(machine.availableBytes, container.availableBytes) };
}

async function machineMemory(system: System, signal: AbortSignal): Promise<Probe['memory']> {
  const { platform, totalMemory: totalBytes, freeMemory } = system;
  if (platform === 'linux') {
    const kib = /^MemAvailable:\s+(\d+) kB/m.exec((await system.read('/proc/meminfo')) ?? '')?.[1];
    return { totalBytes, availableBytes: kib ? Number(kib) * 1024 : freeMemory };
  }
  if (platform === 'darwin') {
    const text = (await outputOf(system, ['vm_stat'], 5_000, signal)) ?? '';
    const page = Number(/page size of (\d+) bytes/.exec(text)?.[1] ?? 16_384);
    const pages = [...text.matchAll(/^Pages (?:free|inactive|speculative|purgeable):\s+(\d+)/gm)];
    const given = pages.reduce((sum, [, count]) => sum + Number(count) * page, 0);
    return { totalBytes, availableBytes: Math.min(totalBytes, given || freeMemory) };
  }
  return { totalBytes, availableBytes: freeMemory };
}

/** What a container's group is limited to and has left; files that the kernel keeps for it can be given up. */
async function containerMemory({ read }: System): Promise<Probe['memory'] | undefined> {
  const number = async (...paths: string[]): Promise<number> => {
    for (const path of paths) {
      const value = Number.parseInt((await read(path)) ?? '', 10);
      if (Number.isFinite(value)) return value;
    }
    return Number.NaN;
  };
  const v1 = '/sys/fs/cgroup/memory';
  const limit = await number('/sys/fs/cgroup/memory.max', `${v1}/memory.limit_in_bytes`);
  // Without a limit the first version tells a number larger than any memory.
  if (!(limit > 0 && limit < 2 ** 60)) return undefined;
  const used = await number('/sys/fs/cgroup/memory.current', `${v1}/memory.usage_in_bytes`);
  const statistics = (await read('/sys/fs/cgroup/memory.stat')) ?? (await read(`${v1}/memory.stat`)) ?? '';
  const files = Number(/^(?:total_)?inactive_file (\d+)/m.exec(statistics)?.[1] ?? 0);
  return { totalBytes: limit, availableBytes: Math.max(0, limit - (used || 0) + files) };
}
