import type { Check, Finding } from './check.ts';
import { type Gpu, isSoftwareVulkan, type Probe } from './machine.ts';
import { cardUse, cudaProblemOf } from './native-builds.ts';

/** What the probe tells of this machine, judged: pure, so that any recorded machine can be examined. */
export function machineChecks(probe: Probe): Check[] {
  const checks: [string, Finding][] = [
    ['node', node(probe)],
    ['processor', processor(probe)],
    ['memory', memory(probe)],
    ...cards(probe),
    ['vulkan', vulkan(probe)],
    ['ffmpeg', ffmpeg(probe)],
    ['models folder', modelsFolder(probe)],
    ['user', user(probe)],
  ];
  return checks.map(([name, finding]) => ({ name, ...finding }));
}

const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

function node({ node: version }: Probe): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const found = `Node ${version}`;
  const fine = major > 20 || (major === 20 && minor >= 19);
  return fine ? { result: 'pass', found } : { result: 'fail', found, fix: 'Install Node 20.19 or newer.' };
}

function processor({ cpu, arch }: Probe): Finding {
  const { avx, avx2, avx512, cores, threads, model } = cpu;
  const vector = avx512 ? 'AVX-512' : avx2 ? 'AVX2' : avx ? 'AVX' : 'no AVX';
  const found = `${model}, ${cores} cores, ${threads} threads${arch === 'x64' ? `, ${vector}` : ''}`;
  if (arch === 'x64' && !avx2) {
    const fix =
      'Neural engines on this processor are not planned; in a virtual machine, pass the host’s processor through.';
    return { result: 'warn', found, fix };
  }
  if (cores >= 2) return { result: 'pass', found };
  return {
    result: 'warn',
    found,
    fix: 'Two cores are the least for talk without gaps; give the machine or container more.',
  };
}

function memory({ memory: { totalBytes, availableBytes } }: Probe): Finding {
  const found = `${gib(totalBytes)}, ${gib(availableBytes)} of it free`;
  if (availableBytes >= 2 * 2 ** 30) return { result: 'pass', found };
  return { result: 'warn', found, fix: 'The embedded engines want about 1 GiB, models more; close other programs.' };
}

function cards(probe: Probe): [string, Finding][] {
  if (probe.gpuProblem !== undefined) {
    const fix = 'Until then nothing is planned for that card.';
    return [['card', { result: 'warn', found: probe.gpuProblem, fix }]];
  }
  if (probe.gpus.length === 0) return [['card', { result: 'pass', found: 'none; everything runs on the processor' }]];
  return probe.gpus.map((gpu) => ['card', cardFinding(gpu, probe)]);
}

function cardFinding(gpu: Gpu, probe: Probe): Finding {
  const sm = gpu.computeCapability === undefined ? '' : `, SM${Math.round(gpu.computeCapability * 10)}`;
  const driver = gpu.driver === undefined ? '' : `, driver ${gpu.driver}`;
  const cuda = gpu.maker === 'nvidia' ? `, CUDA ${probe.cuda.driver ?? 'unknown'}` : '';
  const shared = gpu.maker === 'apple' ? ' shared with the processor' : '';
  const found = `${gpu.name}${sm}, ${gib(gpu.freeBytes)} of ${gib(gpu.totalBytes)} free${shared}${driver}${cuda}`;
  const problem = cudaProblemOf('llama', gpu, probe);
  const use = cardUse('llama', gpu, probe);
  if ('why' in use) return { result: 'warn', found, fix: `Not used: ${use.why}.` };
  if (problem !== undefined) return { result: 'warn', found, fix: `Used through Vulkan, as for CUDA ${problem}.` };
  return { result: 'pass', found: `${found}; used through ${use.device}` };
}

function vulkan({ vulkan: { loader, drivers }, gpus }: Probe): Finding {
  const software = drivers.filter(isSoftwareVulkan);
  const hardware = drivers.filter((driver) => !isSoftwareVulkan(driver));
  if (!loader) return { result: 'pass', found: 'not installed; needed only where CUDA cannot be used' };
  if (hardware.length === 0) {
    const found = software.length > 0 ? `software only (${software.join(', ')}), never used` : 'no driver';
    if (gpus.every(({ maker }) => maker === 'apple')) return { result: 'pass', found };
    return { result: 'warn', found, fix: "Install the Vulkan driver of the card's maker, if CUDA cannot be used." };
  }
  return { result: 'pass', found: drivers.join(', ') };
}

function ffmpeg({ ffmpeg: version }: Probe): Finding {
  if (version !== undefined) return { result: 'pass', found: `ffmpeg ${version}` };
  return { result: 'pass', found: 'ffmpeg is not installed; nothing needs it yet' };
}

function modelsFolder({ disk: { folder, freeBytes } }: Probe): Finding {
  const found = `${folder}, ${gib(freeBytes)} free`;
  if (freeBytes >= 4 * 2 ** 30) return { result: 'pass', found };
  return {
    result: 'warn',
    found,
    fix: 'Models take 1 to 20 GB: free some disk, or set models.folder to a larger one.',
  };
}

function user({ root, platform }: Probe): Finding {
  if (!root) return { result: 'pass', found: 'not root, as it should be' };
  if (platform !== 'linux') return { result: 'pass', found: 'root' };
  return { result: 'pass', found: 'root; no root is needed, and in a container it does no harm' };
}
