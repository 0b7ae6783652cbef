import type { Gpu, Probe } from './machine.ts';
import { LIBRARIES_BESIDES } from './native-builds.ts';
import { outputOf, type System, tryRun } from './system.ts';

const MIB = 2 ** 20;
const FIELDS = ['name', 'compute_cap', 'memory.total', 'memory.free', 'driver_version'];

type Found = { readonly gpus: readonly Gpu[]; readonly problem?: string; readonly cudaDriver?: string };

/** The cards that can compute here, and what the NVIDIA driver knows of CUDA. */
export async function probeGpus(
  system: System,
  memory: Probe['memory'],
  limitMs: number,
  signal: AbortSignal,
): Promise<Pick<Probe, 'gpus' | 'gpuProblem' | 'cuda' | 'lacking' | 'vulkan'>> {
  const nvidia = await nvidiaGpus(system, limitMs, signal);
  const libraries = (await outputOf(system, ['ldconfig', '-p'], 5_000, signal)) ?? '';
  const has = (library: string) => libraries.includes(`${library} (`) || libraries.includes(`${library} =>`);
  const cudnn = [9, 8].find((major) => has(`libcudnn.so.${major}`));
  const gpus = [...nvidia.gpus, ...(await amdGpus(system)), ...appleGpu(system, memory)];
  // A machine whose loader cannot be asked is not said to lack anything.
  const lacking = libraries === '' ? [] : Object.keys(LIBRARIES_BESIDES).filter((library) => !has(library));
  return {
    gpus,
    ...(gpus.length > 0 && lacking.length > 0 && { lacking }),
    ...(nvidia.problem !== undefined && { gpuProblem: nvidia.problem }),
    cuda: {
      ...(nvidia.cudaDriver !== undefined && { driver: nvidia.cudaDriver }),
      ...(cudnn !== undefined && { cudnn }),
      runtimes: [13, 12, 11].filter((major) => has(`libcudart.so.${major}`) && has(`libcublas.so.${major}`)),
    },
    vulkan: { loader: has('libvulkan.so.1'), drivers: await vulkanDrivers(system) },
  };
}

async function nvidiaGpus(system: System, limitMs: number, signal: AbortSignal): Promise<Found> {
  const query = [`--query-gpu=${FIELDS.join(',')}`, '--format=csv,noheader,nounits'];
  const cards = await tryRun(system, 'nvidia-smi', query, limitMs, signal);
  if (cards === 'missing') return { gpus: [] };
  if (cards === 'hung') {
    return {
      gpus: [],
      problem: 'nvidia-smi did not answer; restart the machine to bring its driver back.',
    };
  }
  if (cards.code !== 0) return { gpus: [], problem: driverProblem(cards.output) };
  const { gpus, problem } = parseNvidiaSmi(cards.output);
  const header = gpus.length > 0 ? await outputOf(system, ['nvidia-smi'], limitMs, signal) : undefined;
  const cudaDriver = /CUDA (?:UMD )?Version:\s*(\d+\.\d+)/.exec(header ?? '')?.[1];
  return { gpus, ...(problem !== undefined && { problem }), ...(cudaDriver !== undefined && { cudaDriver }) };
}

/** Of `nvidia-smi --query-gpu`: a card per line; those that do not tell their memory are named in `problem`. */
function parseNvidiaSmi(output: string): { gpus: Gpu[]; problem?: string } {
  const gpus: Gpu[] = [];
  const silent: string[] = [];
  for (const line of output.split('\n')) {
    const [name, capability, total, free, driver] = line.split(',').map((field) => field.trim());
    if (!name || driver === undefined) continue;
    const totalBytes = Number(total) * MIB;
    if (!(totalBytes > 0)) {
      silent.push(name);
      continue;
    }
    const computeCapability = Number(capability);
    gpus.push({
      maker: 'nvidia',
      name,
      ...(computeCapability > 0 && { computeCapability }),
      totalBytes,
      freeBytes: Number(free) >= 0 ? Number(free) * MIB : totalBytes,
      driver,
    });
  }
  if (silent.length === 0) return { gpus };
  return { gpus, problem: `nvidia-smi does not tell the memory of ${silent.join(', ')}, which is not planned with.` };
}

function driverProblem(output: string): string {
  if (/version mismatch/i.test(output)) {
    return 'The NVIDIA driver was updated while it runs (its library is of another version); restart the machine.';
  }
  if (/couldn't communicate|not loaded/i.test(output)) {
    return 'The NVIDIA driver is installed and not running; restart the machine, or install the driver for this kernel again.';
  }
  if (/no devices were found/i.test(output)) return 'The NVIDIA driver runs and finds no card.';
  const words = output.trim().split('\n')[0]?.slice(0, 200) ?? '';
  return `nvidia-smi failed${words && `: ${words}`}`;
}

/** What the kernel's amdgpu driver tells; the graphics of a processor, which has no memory of its own, is left out. */
async function amdGpus({ platform, list, read }: System): Promise<Gpu[]> {
  if (platform !== 'linux') return [];
  const gpus: Gpu[] = [];
  for (const card of (await list('/sys/class/drm')).filter((name) => /^card\d+$/.test(name))) {
    const device = `/sys/class/drm/${card}/device`;
    const totalBytes = Number((await read(`${device}/mem_info_vram_total`)) ?? 0);
    if ((await read(`${device}/vendor`))?.trim() !== '0x1002' || totalBytes < 2 ** 31) continue;
    const used = Number((await read(`${device}/mem_info_vram_used`)) ?? 0);
    const name = (await read(`${device}/product_name`))?.trim() || 'AMD Radeon';
    gpus.push({ maker: 'amd', name, totalBytes, freeBytes: totalBytes - used });
  }
  return gpus;
}

function appleGpu({ platform, arch, cpuModel }: System, { totalBytes, availableBytes }: Probe['memory']): Gpu[] {
  if (platform !== 'darwin' || arch !== 'arm64') return [];
  return [{ maker: 'apple', name: cpuModel, totalBytes, freeBytes: availableBytes }];
}

async function vulkanDrivers({ list }: System): Promise<string[]> {
  const names = [...(await list('/usr/share/vulkan/icd.d')), ...(await list('/etc/vulkan/icd.d'))];
  return [...new Set(names.filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -5)))].sort();
}
