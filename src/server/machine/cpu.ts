import type { Probe } from './machine.ts';
import { outputOf, type System } from './system.ts';

/** The processor: on Linux as the kernel describes it, on a Mac as sysctl does. */
export async function probeCpu(system: System, signal: AbortSignal): Promise<Probe['cpu']> {
  const { platform, arch, cpuModel, threads } = system;
  if (platform === 'darwin') {
    const asked = ['hw.physicalcpu', 'hw.optional.avx1_0', 'hw.optional.avx2_0', 'hw.optional.avx512f'];
    const text = (await outputOf(system, ['sysctl', ...asked], 5_000, signal)) ?? '';
    const value = (name: string) => Number(new RegExp(`^${name.replaceAll('.', '\\.')}: (\\d+)`, 'm').exec(text)?.[1]);
    const [cores = Number.NaN, avx, avx2, avx512] = asked.map(value);
    const known = { avx: avx === 1, avx2: avx2 === 1, avx512: avx512 === 1 };
    return { model: cpuModel, cores: cores >= 1 ? cores : threads, threads, ...known };
  }
  const text = platform === 'linux' ? await system.read('/proc/cpuinfo') : undefined;
  const quota = await cpuQuota(system);
  if (text === undefined) {
    // Where nothing tells, what every x64 processor of the last ten years has is taken for granted.
    const usual = arch === 'x64';
    return { model: cpuModel, cores: Math.ceil(threads / 2), threads, avx: usual, avx2: usual, avx512: false };
  }
  const { cores, flags, model } = parseCpuInfo(text);
  const usable = Math.max(1, Math.min(cores, threads, Math.round(quota)));
  const has = (flag: string) => flags.has(flag);
  return {
    model: model ?? cpuModel,
    cores: usable,
    threads: Math.max(1, Math.min(threads, Math.ceil(quota))),
    ...{ avx: has('avx'), avx2: has('avx2'), avx512: has('avx512f') },
  };
}

/** Of `/proc/cpuinfo`: physical cores, the flags of the first processor, its name. */
function parseCpuInfo(text: string): { cores: number; flags: ReadonlySet<string>; model: string | undefined } {
  const blocks = text.split(/\n\s*\n/).filter((block) => /^processor\s*:/m.test(block));
  const field = (block: string, name: string) => new RegExp(`^${name}\\s*:\\s*(.*)$`, 'm').exec(block)?.[1]?.trim();
  const places = blocks.map((block, i) => {
    const core = field(block, 'core id');
    return core === undefined ? `thread ${i}` : `${field(block, 'physical id')} ${core}`;
  });
  const first = blocks[0] ?? '';
  const flags = (field(first, 'flags') ?? field(first, 'Features') ?? '').split(/\s+/);
  return { cores: Math.max(1, new Set(places).size), flags: new Set(flags), model: field(first, 'model name') };
}

/** Processors that the container may use, as many as there are where nothing limits them. */
async function cpuQuota({ read }: System): Promise<number> {
  const [quota, period] = ((await read('/sys/fs/cgroup/cpu.max')) ?? '').trim().split(' ').map(Number);
  return quota && period ? quota / period : Number.POSITIVE_INFINITY;
}
