import { describe, expect, it } from 'vitest';
import { probe } from '../../../src/server/machine/probe.ts';
import { type Played, playedSystem } from '../../fixtures/played-system.ts';

const look = (played: Played) =>
  probe({ modelsFolder: '/models', system: playedSystem(played) }, new AbortController().signal);

const QUERY =
  'nvidia-smi --query-gpu=name,compute_cap,memory.total,memory.free,driver_version --format=csv,noheader,nounits';
const header = (cuda: string) =>
  `+-----------------------------------------------------------------------------------------+
| NVIDIA-SMI 580.95.05              Driver Version: 580.95.05      CUDA Version: ${cuda}     |
|-----------------------------------------+------------------------+----------------------+`;
const LDCONFIG = `	libcudart.so.13 (libc6,x86-64) => /usr/local/cuda/targets/x86_64-linux/lib/libcudart.so.13
	libcublas.so.13 (libc6,x86-64) => /usr/local/cuda/targets/x86_64-linux/lib/libcublas.so.13
	libcudart.so.12 (libc6,x86-64) => /usr/lib/x86_64-linux-gnu/libcudart.so.12
	libcublasLt.so.12 (libc6,x86-64) => /usr/lib/x86_64-linux-gnu/libcublasLt.so.12
	libcudnn.so.9 (libc6,x86-64) => /usr/lib/x86_64-linux-gnu/libcudnn.so.9
	libvulkan.so.1 (libc6,x86-64) => /usr/lib/x86_64-linux-gnu/libvulkan.so.1
`;

describe('the cards', () => {
  it('reads one card, its driver and what it knows of CUDA', async () => {
    const { gpus, cuda, gpuProblem } = await look({
      commands: { [QUERY]: 'NVIDIA GeForce RTX 5090, 12.0, 32607, 31560, 580.95.05\n', 'nvidia-smi': header('13.0') },
    });
    expect(gpus).toEqual([
      {
        maker: 'nvidia',
        name: 'NVIDIA GeForce RTX 5090',
        computeCapability: 12,
        totalBytes: 32_607 * 2 ** 20,
        freeBytes: 31_560 * 2 ** 20,
        driver: '580.95.05',
      },
    ]);
    expect(cuda.driver).toBe('13.0');
    expect(gpuProblem).toBeUndefined();
  });

  it('reads several, and leaves out one that does not tell its memory', async () => {
    const lines = [
      'NVIDIA GeForce RTX 3060, 8.6, 12288, 11710, 580.95.05',
      'NVIDIA GB10, 12.1, [N/A], [N/A], 580.95.05',
      'Tesla P4, [N/A], 7680, [N/A], 580.95.05',
    ];
    const { gpus, gpuProblem } = await look({ commands: { [QUERY]: lines.join('\n'), 'nvidia-smi': header('13.0') } });
    expect(gpus.map(({ name }) => name)).toEqual(['NVIDIA GeForce RTX 3060', 'Tesla P4']);
    expect(gpus[1]).toMatchObject({ freeBytes: 7680 * 2 ** 20 });
    expect(gpus[1]).not.toHaveProperty('computeCapability');
    expect(gpuProblem).toContain('NVIDIA GB10');
  });

  it('needs no card, and says nothing of it', async () => {
    expect(await look({})).toMatchObject({ gpus: [], cuda: { runtimes: [] } });
    expect((await look({})).gpuProblem).toBeUndefined();
  });

  it.each([
    ['Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 580.95\n', 18, 'restart'],
    [
      "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA driver is installed and running.\n",
      9,
      'not running',
    ],
    ['No devices were found\n', 6, 'finds no card'],
    ['Segmentation fault', 139, 'nvidia-smi failed: Segmentation fault'],
  ])('says what to do about a driver in trouble: %s', async (output, code, said) => {
    const { gpus, gpuProblem } = await look({ commands: { [QUERY]: { code, output } } });
    expect(gpus).toEqual([]);
    expect(gpuProblem).toContain(said);
  });

  it('does not wait for a driver that hangs', async () => {
    const system = playedSystem({ commands: { [QUERY]: 'hangs' } });
    const { gpus, gpuProblem } = await probe(
      { modelsFolder: '/models', system, cardLimitMs: 20 },
      new AbortController().signal,
    );
    expect(gpus).toEqual([]);
    expect(gpuProblem).toContain('did not answer');
  });

  it('ends at once when the start is given up', async () => {
    const given = new AbortController();
    given.abort(new Error('no more'));
    const system = playedSystem({ commands: { [QUERY]: '' } });
    await expect(probe({ modelsFolder: '/models', system }, given.signal)).rejects.toThrow('no more');
  });

  it('names the libraries that engines on a card lack besides, where there is a card', async () => {
    const commands = { [QUERY]: 'NVIDIA L4, 8.9, 23034, 22500, 570.86.15', 'ldconfig -p': LDCONFIG };
    expect(await look({ commands })).toMatchObject({ lacking: ['libgomp.so.1', 'libnccl.so.2'] });
    const all = `${LDCONFIG}\n\tlibgomp.so.1 (libc6,x86-64) => /lib/libgomp.so.1\n\tlibnccl.so.2 (libc6,x86-64) => /lib/libnccl.so.2`;
    expect((await look({ commands: { ...commands, 'ldconfig -p': all } })).lacking).toBeUndefined();
    expect((await look({ commands: { 'ldconfig -p': LDCONFIG } })).lacking).toBeUndefined();
  });

  it('counts CUDA libraries only where both parts are installed, and finds Vulkan and its drivers', async () => {
    const { cuda, vulkan } = await look({
      commands: { 'ldconfig -p': LDCONFIG },
      folders: {
        '/usr/share/vulkan/icd.d': ['lvp_icd.x86_64.json', 'readme'],
        '/etc/vulkan/icd.d': ['nvidia_icd.json'],
      },
    });
    expect(cuda).toEqual({ runtimes: [13], cudnn: 9 });
    expect(vulkan).toEqual({ loader: true, drivers: ['lvp_icd.x86_64', 'nvidia_icd'] });
  });

  it('finds an AMD card with memory of its own, and not the graphics of a processor', async () => {
    const device = (card: string) => `/sys/class/drm/${card}/device`;
    const { gpus } = await look({
      folders: { '/sys/class/drm': ['card0', 'card0-DP-1', 'card1', 'renderD128'] },
      files: {
        [`${device('card0')}/vendor`]: '0x1002\n',
        [`${device('card0')}/mem_info_vram_total`]: '536870912\n',
        [`${device('card1')}/vendor`]: '0x1002\n',
        [`${device('card1')}/mem_info_vram_total`]: '17163091968\n',
        [`${device('card1')}/mem_info_vram_used`]: '1073741824\n',
      },
    });
    expect(gpus).toEqual([{ maker: 'amd', name: 'AMD Radeon', totalBytes: 17_163_091_968, freeBytes: 16_089_350_144 }]);
  });

  it('takes a Mac for a card that shares its memory', async () => {
    const { gpus, memory, cpu } = await look({
      platform: 'darwin',
      arch: 'arm64',
      cpuModel: 'Apple M2',
      commands: {
        vm_stat: `Mach Virtual Memory Statistics: (page size of 16384 bytes)
Pages free:                              100000.
Pages active:                            300000.
Pages inactive:                          200000.
Pages speculative:                        10000.
Pages purgeable:                           5000.
`,
        'sysctl hw.physicalcpu hw.optional.avx1_0 hw.optional.avx2_0 hw.optional.avx512f':
          'hw.physicalcpu: 8\nhw.optional.avx1_0: 0\n',
      },
    });
    expect(memory.availableBytes).toBe(315_000 * 16_384);
    expect(gpus).toMatchObject([{ maker: 'apple', name: 'Apple M2', freeBytes: memory.availableBytes }]);
    expect(cpu).toMatchObject({ cores: 8, avx2: false });
  });
});

const processors = (places: readonly [package_: number, core: number][], flags: string) =>
  places
    .map(
      ([package_, core], i) =>
        `processor\t: ${i}\nmodel name\t: AMD Ryzen 7 5700X\nphysical id\t: ${package_}\ncore id\t\t: ${core}\nflags\t\t: ${flags}\n`,
    )
    .join('\n');

describe('the processor', () => {
  it('counts cores, not threads, and knows AVX', async () => {
    const text = processors(
      [...Array(16).keys()].map((i) => [0, i % 8] as const) as [number, number][],
      'sse avx avx2',
    );
    const { cpu } = await look({ threads: 16, files: { '/proc/cpuinfo': text } });
    expect(cpu).toEqual({ model: 'AMD Ryzen 7 5700X', cores: 8, threads: 16, avx: true, avx2: true, avx512: false });
  });

  it('has no AVX where its flags name none', async () => {
    const { cpu } = await look({ files: { '/proc/cpuinfo': processors([[0, 0]], 'sse sse2 ssse3 sse4_1 sse4_2') } });
    expect(cpu).toMatchObject({ avx: false, avx2: false });
  });

  it('counts no more cores than the container may use', async () => {
    const text = processors([...Array(16).keys()].map((i) => [0, i] as const) as [number, number][], 'avx2');
    const files = { '/proc/cpuinfo': text, '/sys/fs/cgroup/cpu.max': '250000 100000\n' };
    expect((await look({ threads: 16, files })).cpu).toMatchObject({ cores: 3, threads: 3 });
    const unlimited = { ...files, '/sys/fs/cgroup/cpu.max': 'max 100000\n' };
    expect((await look({ threads: 16, files: unlimited })).cpu.cores).toBe(16);
  });
});

describe('memory', () => {
  const meminfo = 'MemTotal:       32000000 kB\nMemFree:         1000000 kB\nMemAvailable:   20000000 kB\n';

  it('is what the kernel says can be had', async () => {
    const { memory } = await look({ files: { '/proc/meminfo': meminfo } });
    expect(memory.availableBytes).toBe(20_000_000 * 1024);
  });

  it('is no more than the container has left, with the files that the kernel keeps for it', async () => {
    const { memory } = await look({
      files: {
        '/proc/meminfo': meminfo,
        '/sys/fs/cgroup/memory.max': '4294967296\n',
        '/sys/fs/cgroup/memory.current': '3221225472\n',
        '/sys/fs/cgroup/memory.stat': 'anon 1\ninactive_file 1073741824\n',
      },
    });
    expect(memory).toEqual({ totalBytes: 4 * 2 ** 30, availableBytes: 2 * 2 ** 30 });
  });

  it('is the machine’s where the group has no limit', async () => {
    const { memory } = await look({ files: { '/proc/meminfo': meminfo, '/sys/fs/cgroup/memory.max': 'max\n' } });
    expect(memory.availableBytes).toBe(20_000_000 * 1024);
  });
});

it('looks at the machine it runs on', async () => {
  const found = await probe({ modelsFolder: '/no/such/folder' }, AbortSignal.timeout(15_000));
  expect(found.cpu.cores).toBeGreaterThanOrEqual(1);
  expect(found.memory.availableBytes).toBeGreaterThan(0);
  expect(found.disk.freeBytes).toBeGreaterThan(0);
  expect(found.node).toBe(process.versions.node);
});

it('tells the version of ffmpeg', async () => {
  const output = 'ffmpeg version 5.1.6-0+deb12u1 Copyright (c) 2000-2024 the FFmpeg developers\nbuilt with gcc\n';
  expect((await look({ commands: { 'ffmpeg -version': output } })).ffmpeg).toBe('5.1.6-0+deb12u1');
  expect((await look({})).ffmpeg).toBeUndefined();
});
