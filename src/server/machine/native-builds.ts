import type { Gpu, Probe } from './machine.ts';

/** One CUDA library as a package ships it. */
type CudaBuild = {
  /** The CUDA whose compiler made it; the driver must know this one to translate the code that is not native. */
  readonly toolkit: string;
  /** The major version of libcudart and libcublas that it loads. */
  readonly runtime: number;
  /** Machine code, by compute capability × 10: runs on cards of the same major and no lower minor version. */
  readonly native: readonly number[];
  /** Intermediate code, which the driver translates for any card from this capability on. */
  readonly portable: readonly number[];
};

/**
 * What the packages' CUDA libraries contain, in the order in which they are tried. Read from the fat binaries themselves
 * (kind and architecture of each entry, the `.version` of the intermediate code, the needed libraries):
 * @node-llama-cpp/linux-x64-cuda and -cuda-ext 3.21.1, @fugood/node-whisper-linux-x64-cuda 1.1.1.
 */
const CUDA_BUILDS: Readonly<Record<'llama' | 'whisper', readonly CudaBuild[]>> = {
  llama: [
    { toolkit: '13.1', runtime: 13, native: [86, 89, 120, 121], portable: [75, 80, 90] },
    { toolkit: '12.4', runtime: 12, native: [86], portable: [50, 61, 70, 75, 80] },
  ],
  whisper: [{ toolkit: '12.5', runtime: 12, native: [89], portable: [89] }],
};

type Besides = 'libgomp.so.1' | 'libnccl.so.2';

/** What whisper.node's builds load besides CUDA's or Vulkan's own libraries; the others bring what they need. */
const WHISPER_NEEDS: Readonly<Record<'cuda' | 'vulkan', readonly Besides[]>> = {
  cuda: ['libgomp.so.1', 'libnccl.so.2'],
  vulkan: ['libgomp.so.1'],
};

/** The libraries that are asked of the machine besides CUDA's and Vulkan's, and where they come from. */
export const LIBRARIES_BESIDES: Readonly<Record<Besides, string>> = {
  'libgomp.so.1': "Debian's and Ubuntu's package libgomp1",
  'libnccl.so.2': "NVIDIA's package libnccl2",
};

/** Which library besides CUDA's or Vulkan's own `engine` lacks here for `device`, in words that name the package to install. */
export function lackingFor(
  engine: 'llama' | 'whisper',
  device: 'cuda' | 'vulkan',
  { lacking = [] }: Probe,
): string | undefined {
  const needed = engine === 'whisper' ? WHISPER_NEEDS[device] : [];
  const missing = needed.find((library) => lacking.includes(library));
  return missing && `whisper.node needs ${missing}; install ${LIBRARIES_BESIDES[missing]}`;
}

/** How a package computes on a card: by which library, or why not at all. */
export type CardUse = { readonly device: 'cuda' | 'vulkan' | 'metal' } | { readonly why: string };

/** Whether and how the npm package of `engine` computes on `gpu` of this machine. */
export function cardUse(engine: 'llama' | 'whisper', gpu: Gpu, probe: Probe): CardUse {
  if (gpu.maker === 'apple') return { device: 'metal' };
  const why = gpu.maker === 'nvidia' ? cudaProblemOf(engine, gpu, probe) : 'it is no NVIDIA card';
  if (why === undefined) return { device: 'cuda' };
  if (!vulkanDrives(gpu, probe)) return { why };
  const lacking = lackingFor(engine, 'vulkan', probe);
  return lacking === undefined ? { device: 'vulkan' } : { why: lacking };
}

/** Why the card cannot be used by CUDA as it should, in words that name the fix; undefined where it can. */
export const cudaProblemOf = (engine: 'llama' | 'whisper', gpu: Gpu, probe: Probe): string | undefined =>
  gpu.maker === 'nvidia'
    ? (cudaProblem(CUDA_BUILDS[engine], gpu, probe) ?? lackingFor(engine, 'cuda', probe))
    : undefined;

/** Whether the driver first translates the package's code for this card, which takes minutes once. */
export function isTranslated(engine: 'llama' | 'whisper', gpu: Gpu, probe: Probe): boolean {
  if (cudaProblemOf(engine, gpu, probe) !== undefined || gpu.maker !== 'nvidia') return false;
  return !runsNatively(loadedBuild(CUDA_BUILDS[engine], probe)!, Math.round(gpu.computeCapability! * 10));
}

function cudaProblem(builds: readonly CudaBuild[], gpu: Gpu, probe: Probe): string | undefined {
  const { arch, cuda } = probe;
  const capability = gpu.computeCapability;
  if (arch !== 'x64') return `there is no CUDA build for ${arch}`;
  if (capability === undefined || cuda.driver === undefined) return 'its compute capability or driver is not known';
  const sm = Math.round(capability * 10);
  // SM120 came with CUDA 12.8; older drivers do not drive the card at all, whatever the code.
  if (sm >= 100 && older(cuda.driver, '12.8')) {
    return `SM${sm} needs a driver with CUDA 12.8 (570 or newer), and this one has ${cuda.driver}`;
  }
  const loaded = loadedBuild(builds, probe);
  if (!loaded) return missingRuntime(builds, cuda.driver);
  if (runsNatively(loaded, sm)) return undefined;
  const first = Math.min(...loaded.portable);
  if (sm < first) return `its compute capability ${capability.toFixed(1)} is below ${(first / 10).toFixed(1)}`;
  if (!older(cuda.driver, loaded.toolkit)) return undefined;
  return `compute capability ${capability.toFixed(1)} needs a driver with CUDA ${loaded.toolkit}, and this one has ${cuda.driver}`;
}

/** The first build whose libraries are there is the one that is loaded, even where a later one would suit the card better. */
const loadedBuild = (builds: readonly CudaBuild[], { cuda }: Probe): CudaBuild | undefined =>
  builds.find(({ runtime }) => cuda.runtimes.includes(runtime) && major(cuda.driver!) >= runtime);

const runsNatively = ({ native }: CudaBuild, sm: number): boolean =>
  native.some((one) => Math.floor(one / 10) === Math.floor(sm / 10) && one <= sm);

function missingRuntime(builds: readonly CudaBuild[], driver: string): string {
  const fitting = builds.find(({ runtime }) => major(driver) >= runtime);
  if (!fitting)
    return `the driver knows CUDA ${driver} and ${builds.at(-1)!.runtime} is needed; install a newer driver`;
  const { runtime } = fitting;
  return `the CUDA ${runtime} libraries are missing; install libcudart and libcublas ${runtime} (NVIDIA's packages cuda-cudart-${runtime}-x and libcublas-${runtime}-x)`;
}

/** A card is used through Vulkan only if its own maker's driver is there: with another, a software device would answer. */
const vulkanDrives = ({ maker }: Gpu, { vulkan }: Probe): boolean =>
  vulkan.loader && vulkan.drivers.some((driver) => (maker === 'nvidia' ? /nvidia/i : /radeon|amd/i).test(driver));

const major = (version: string): number => Number(version.split('.')[0]);

function older(version: string, than: string): boolean {
  const [a = 0, b = 0] = version.split('.').map(Number);
  const [c = 0, d = 0] = than.split('.').map(Number);
  return a < c || (a === c && b < d);
}
