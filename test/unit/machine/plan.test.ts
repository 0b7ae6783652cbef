import { describe, expect, it } from 'vitest';
import type { Probe } from '../../../src/server/machine/machine.ts';
import { PLAN_STAGES } from '../../../src/server/machine/plan-request.ts';
import { MACHINES, planFor, type RecordedMachine, recorded } from '../../fixtures/probes.ts';

const card = ({ gpus }: Probe) => gpus[0]?.freeBytes ?? 0;
const withProbe = (machine: RecordedMachine, change: Partial<Probe>): RecordedMachine => ({
  ...machine,
  probe: { ...machine.probe, ...change },
});
const ids = (machine: RecordedMachine, request = {}) => {
  const made = planFor(machine, request);
  return PLAN_STAGES.map((stage) => made[stage]?.model?.id ?? made[stage]?.engine);
};

describe('a plan', () => {
  it('is the same for the same machine', () => {
    for (const machine of MACHINES) expect(planFor(machine)).toEqual(planFor(structuredClone(machine)));
  });

  it('gives a reason for every stage and for every model that would be better', () => {
    for (const machine of MACHINES) {
      const made = planFor(machine);
      for (const stage of PLAN_STAGES) expect(made[stage]!.why).toMatch(/^\S.*\.$/);
      for (const { why } of made.rejected) expect(why.length).toBeGreaterThan(10);
    }
  });
});

describe('what runs where', () => {
  it('puts the language model on the card as a whole, and says how many layers that is', () => {
    const { llm } = planFor(recorded('3060-ti'));
    expect(llm).toMatchObject({ device: 'cuda', gpuLayers: 36, model: { id: 'qwen3-4b-instruct' } });
  });

  it('puts most of a model on a small card rather than a smaller model', () => {
    const { llm } = planFor(recorded('1650'));
    const layers = llm!.model?.stage === 'llm' ? llm!.model.layers : 0;
    expect(llm!.device).toBe('cuda');
    expect(llm!.gpuLayers).toBeLessThan(layers);
    expect(llm!.gpuLayers).toBeGreaterThanOrEqual(layers * 0.6);
  });

  it('runs everything on an RTX 50 with a driver that knows it', () => {
    const made = planFor(recorded('5090'));
    expect(PLAN_STAGES.map((stage) => made[stage]!.device)).toEqual(['cuda', 'cuda', 'cuda']);
    // Of whisper.node's code for SM89 the driver makes its own at the first start.
    expect(made.notes.join()).toContain('whisper.node holds no machine code for NVIDIA GeForce RTX 5090');
  });

  it('names the driver that an RTX 50 needs, and uses Vulkan until it is there', () => {
    const machine = recorded('5090');
    const old = withProbe(machine, { cuda: { driver: '12.4', runtimes: [12] } });
    const made = planFor(old);
    expect(made.llm!.device).toBe('vulkan');
    expect(made.notes.join()).toContain('SM120 needs a driver with CUDA 12.8 (570 or newer)');
    const bare = withProbe(old, { vulkan: { loader: false, drivers: [] } });
    expect(planFor(bare).llm!.device).toBe('cpu');
  });

  it('does not trust CUDA code that the driver cannot translate', () => {
    // Built by CUDA 13.1 for cards of this capability only in a form that the driver of 13.0 does not know.
    const h100 = withProbe(recorded('h100'), { cuda: { driver: '13.0', runtimes: [13] } });
    expect(planFor(h100).llm!.device).toBe('cpu');
    expect(planFor(h100).notes.join()).toContain('compute capability 9.0 needs a driver with CUDA 13.1');
    expect(planFor(recorded('h100')).llm!.device).toBe('cuda');
  });

  it('speaks on the card only where onnxruntime-node has all that it needs there', () => {
    const machine = recorded('4090');
    const { driver } = machine.probe.cuda;
    expect(planFor(machine).tts!.engine).toBe('kokoro');
    const without = withProbe(machine, { cuda: { ...(driver && { driver }), runtimes: [13, 12] } });
    expect(planFor(without).tts).toMatchObject({ engine: 'sherpa', device: 'cpu', model: { id: 'kokoro-82m' } });
    const packages = { ...machine.packages, ortCuda: false };
    expect(planFor({ ...machine, packages }).tts!.engine).toBe('sherpa');
  });

  it('asks for the CUDA libraries where only they are missing', () => {
    const machine = withProbe(recorded('4090'), {
      cuda: { driver: '13.0', runtimes: [] },
      vulkan: { loader: false, drivers: [] },
    });
    expect(planFor(machine).notes.join()).toContain('the CUDA 13 libraries are missing');
  });

  it('recognises on the card only where the libraries are that whisper.node loads besides, and names the package', () => {
    const machine = recorded('4090');
    const without = planFor(withProbe(machine, { lacking: ['libnccl.so.2'], vulkan: { loader: false, drivers: [] } }));
    expect([without.asr!.engine, without.asr!.device, without.llm!.device]).toEqual(['sherpa', 'cpu', 'cuda']);
    expect(without.notes.join()).toContain("install NVIDIA's package libnccl2");
    expect(planFor(withProbe(machine, { lacking: ['libnccl.so.2'] })).asr!.device).toBe('vulkan');
    expect(planFor(withProbe(machine, { lacking: ['libgomp.so.1'] })).asr!.device).toBe('cpu');
  });

  it('never takes a software Vulkan device for a card', () => {
    const machine = withProbe(recorded('5090'), {
      cuda: { runtimes: [] },
      vulkan: { loader: true, drivers: ['lvp_icd.x86_64'] },
    });
    expect(planFor(machine).llm!.device).toBe('cpu');
    expect(planFor(recorded('no-card')).notes.join()).toContain('software one');
  });

  it('leaves the card room for video when it is told to', () => {
    const all = planFor(recorded('4090'));
    const shared = planFor(recorded('4090'), { reserveVramBytes: 12e9 });
    expect(shared.vramBytes).toBeLessThanOrEqual(card(recorded('4090').probe) - 12e9);
    expect(shared.llm!.level).toBeLessThan(all.llm!.level);
  });

  it('uses the embedded engines without AVX2, but for a small language model, and says why', () => {
    const made = planFor(recorded('no-avx'));
    expect([made.asr!.engine, made.tts!.engine]).toEqual(['pocketsphinx', 'flite']);
    expect(made.asr!.why).toContain('no AVX2');
  });

  it('takes what fits a small disk', () => {
    expect(planFor(recorded('tiny-disk')).downloadBytes).toBeLessThan(2.2e9);
  });

  it('counts a model on disk neither as a download nor against the disk', () => {
    const machine = recorded('tiny-disk');
    const bare = planFor(machine);
    const stocked = planFor(machine, { onDisk: new Set(['qwen3-4b-instruct', 'kokoro-82m']) });
    expect(stocked.llm!.model?.id).toBe('qwen3-4b-instruct');
    expect(stocked.diskBytes).toBeGreaterThan(bare.diskBytes);
    expect(stocked.downloadBytes).toBeLessThan(stocked.diskBytes);
  });

  it('makes do with what is on disk where the hub is out of reach', () => {
    const machine = recorded('3060-ti');
    expect(ids(machine, { hub: false })).toEqual(['pocketsphinx', 'builtin', 'flite']);
    expect(ids(machine, { hub: false, onDisk: new Set(['qwen3-1.7b', 'piper-en-us-amy-low']) })).toEqual([
      'pocketsphinx',
      'qwen3-1.7b',
      'piper-en-us-amy-low',
    ]);
  });

  it('gives a stage its model even where another, too large one, is all the disk has', () => {
    const onDisk = new Set(['qwen3-14b', 'whisper-large-v3-turbo-q8']);
    expect(ids(recorded('no-card'), { hub: false, onDisk })[1]).toBe('builtin');
    expect(ids(recorded('3060-ti'), { hub: false, onDisk: new Set([...onDisk, 'kokoro-82m']) })).toEqual([
      'whisper-large-v3-turbo-q8',
      'builtin',
      'kokoro-82m',
    ]);
  });

  it('says that the embedded engines know English only', () => {
    expect(planFor(recorded('no-card'), { hub: false, language: 'de' }).notes.join()).toContain('know English only');
    expect(planFor(recorded('no-card'), { hub: false }).notes.join()).not.toContain('know English only');
  });

  it('names the package to install where one is missing', () => {
    const { packages } = recorded('3060-ti');
    const made = planFor({ ...recorded('3060-ti'), packages: { ...packages, llama: false } });
    expect(made.llm!.engine).toBe('builtin');
    expect(made.llm!.why).toContain('npm install node-llama-cpp');
  });

  it('plans only the stages it is asked for, and gives them the room of the others', () => {
    const made = planFor(recorded('3060-ti'), { stages: ['llm'] });
    expect(made.asr).toBeUndefined();
    expect(made.llm!.model?.id).toBe('qwen3-8b');
  });
});
