import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VideoError } from '../../../../src/server/video/contracts.ts';
import { CONVERTER, type Converted } from '../../../../src/server/video/lip-sync/musetalk/convert/converted.ts';
import {
  type Example,
  readExamples,
  writeExamples,
} from '../../../../src/server/video/lip-sync/musetalk/convert/examples.ts';
import type { Device } from '../../../../src/server/video/lip-sync/musetalk/networks.ts';
import { chooseDevice } from '../../../../src/server/video/lip-sync/musetalk/process/choose-device.ts';
import type { GraphSession } from '../../../../src/server/video/lip-sync/musetalk/process/graph-session.ts';
import {
  bytesNeeded,
  CARD_ROOM_BYTES,
  checkMemory,
} from '../../../../src/server/video/lip-sync/musetalk/process/memory.ts';
import { openNetworks } from '../../../../src/server/video/lip-sync/musetalk/process/open-networks.ts';
import { ofFrame, repeated, type Tensors } from '../../../../src/server/video/lip-sync/musetalk/process/tensors.ts';

const faces = (value: number, batch = 1): Tensors => ({
  faces: { dims: [batch, 2, 2, 3], data: new Uint8Array(12 * batch).map((_, i) => (i % 12) * 10 + value) },
});
const numbers = (name: string, value: number): Tensors => ({
  [name]: { dims: [1, 4], data: Float32Array.of(value, 2, 3, 4) },
});
const TRIAL: Example = { inputs: numbers('states', 0), outputs: faces(0) };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'voice-chat-process-'));
  await writeExamples(folder, {
    trial: TRIAL,
    frame: { inputs: { states: { dims: [1, 4], data: new Float32Array(4) } }, outputs: faces(5) },
    speech: { inputs: numbers('mel', 0), outputs: numbers('states', 1) },
    face: { inputs: { face: { dims: [1, 3], data: Uint8Array.of(1, 2, 3) } }, outputs: numbers('latents', 1) },
    parser: { inputs: numbers('picture', 0), outputs: { classes: { dims: [3], data: Uint8Array.of(0, 1, 18) } } },
    pose: { inputs: numbers('picture', 0), outputs: numbers('simcc_x', 1) },
  });
  const facts = { converter: CONVERTER, version: 'v', width: 4, weightBytes: 2e9, cpuBytes: 6e9, files: {} };
  await writeFile(join(folder, 'converted.json'), JSON.stringify(facts));
});
afterAll(() => rm(folder, { recursive: true }));

/** A machine whose devices give what `outputs` says of a graph, or throw it, and what was opened on it. */
function machine(outputs: (device: Device, graph: string) => Tensors | VideoError, card = true) {
  const opened: string[] = [];
  const closed: string[] = [];
  const open = async (file: string, device: Device): Promise<GraphSession> => {
    const graph = file.slice(folder.length + 1).replace('.onnx', '');
    const given = outputs(device, graph);
    if (given instanceof VideoError) throw given;
    opened.push(`${graph} ${device}`);
    return {
      inputs: ['first'],
      run: async (inputs) => {
        const batch = Object.values(inputs)[0]!.dims[0]!;
        return Object.fromEntries(Object.entries(given).map(([name, values]) => [name, repeated(values, batch)]));
      },
      [Symbol.asyncDispose]: async () => void closed.push(`${graph} ${device}`),
    };
  };
  return { open, hasCard: async () => card, opened, closed };
}

const none = new VideoError('No such device.');
const choose = (device: 'auto' | Device, world: ReturnType<typeof machine>, refused = new Map<Device, string>()) =>
  chooseDevice({ device, folder, gpu: 0 }, TRIAL, refused, world);

describe('the device that MuseTalk computes on', () => {
  it('is CUDA with 16 bits where that gives the known results', async () => {
    const world = machine(() => faces(0));
    expect(await choose('auto', world)).toEqual({ device: 'cuda', precision: 'f16' });
    expect(world.opened).toEqual(['trial-f16 cuda']);
    expect(world.closed).toEqual(world.opened);
  });

  it('is WebGPU where CUDA cannot be opened, with 32 bits where it has no 16', async () => {
    const world = machine((device, graph) => (device === 'cuda' || graph === 'trial-f16' ? none : faces(0)));
    const refused = new Map<Device, string>();
    expect(await choose('auto', world, refused)).toEqual({ device: 'webgpu', precision: 'f32' });
    expect([...refused]).toEqual([['cuda', 'No such device.']]);
  });

  it('is the CPU where there is no card, whatever drivers there are', async () => {
    const world = machine((device) => (device === 'cuda' ? none : faces(0)), false);
    expect(await choose('auto', world)).toEqual({ device: 'cpu', precision: 'f32' });
    expect(world.opened).toEqual(['trial-f32 cpu']);
  });

  it('is none that gives wrong results, or a face of one colour', async () => {
    const grey: Tensors = { faces: { dims: [1, 2, 2, 3], data: new Uint8Array(12).fill(128) } };
    const refused = new Map<Device, string>();
    const world = machine((device) => (device === 'cuda' ? grey : faces(device === 'webgpu' ? 40 : 0)));
    expect(await choose('auto', world, refused)).toEqual({ device: 'cpu', precision: 'f32' });
    expect(refused.get('cuda')).toContain('a face of one colour');
    expect(refused.get('webgpu')).toContain('off by 40.00 levels');
  });

  it('is the one that was asked for, or an error that says why not', async () => {
    await expect(
      choose(
        'cuda',
        machine((device) => (device === 'cuda' ? none : faces(0))),
      ),
    ).rejects.toThrow(none.message);
    await expect(
      choose(
        'webgpu',
        machine(() => faces(99)),
      ),
    ).rejects.toThrow(/computes wrongly with WebGPU .*set video\.lipSync\.device/);
    expect(
      await choose(
        'webgpu',
        machine(() => faces(0), false),
      ),
    ).toEqual({ device: 'webgpu', precision: 'f16' });
  });
});

describe('MuseTalk’s networks', () => {
  const right = (_: Device, graph: string): Tensors =>
    graph.startsWith('trial') ? faces(0) : graph.startsWith('frame') ? faces(5) : numbers('states', 1);
  const settings = (device: 'auto' | Device) => ({ folder, device, gpu: 0, mask: 'jaw' as const, margin: 10 });
  const networks = (device: 'auto' | Device, world: ReturnType<typeof machine>, said: string[] = []) =>
    openNetworks(settings(device), (sentence) => said.push(sentence), { ...world, checkMemory: async () => {} });

  it('are loaded once each, when they are first asked', async () => {
    const world = machine(right);
    await using all = networks('cuda', world);
    expect(world.opened).toEqual([]);
    for (let i = 0; i < 2; i++) expect(await all.run('speech', numbers('mel', 0))).toEqual(numbers('states', 1));
    await all.run('frame', numbers('states', 0));
    expect(world.opened).toEqual(['trial-f16 cuda', 'speech cuda', 'frame-f16 cuda']);
  });

  it('paint with 32 bits on the CPU', async () => {
    const world = machine(right);
    await using all = networks('cpu', world);
    await all.run('frame', numbers('states', 0));
    expect(world.opened).toEqual(['trial-f32 cpu', 'frame-f32 cpu']);
  });

  it('of a card that paints wrongly at full size are let go, and the next device tried', async () => {
    const world = machine((device, graph) =>
      graph === 'frame-f16' && device === 'cuda' ? faces(60) : right(device, graph),
    );
    const said: string[] = [];
    await using all = networks('auto', world, said);
    await all.run('speech', numbers('mel', 0));
    await all.run('frame', numbers('states', 0));
    expect(world.closed).toEqual(expect.arrayContaining(['frame-f16 cuda', 'speech cuda']));
    expect(world.opened.at(-1)).toBe('frame-f16 webgpu');
    expect(said.join('\n')).toMatch(/does not compute with CUDA: .*off by 55\.00 levels/);
  });

  it('of a card that was asked for and paints wrongly are an error', async () => {
    await using all = networks(
      'cuda',
      machine((device, graph) => (graph === 'frame-f16' ? faces(60) : right(device, graph))),
    );
    await expect(all.run('frame', numbers('states', 0))).rejects.toThrow(/computes wrongly with CUDA/);
  });

  it('are not opened where nothing was converted', () => {
    expect(() => openNetworks({ ...settings('cpu'), folder: join(folder, 'none') }, () => {})).toThrow(
      /models pull musetalk/,
    );
  });
});

describe('the memory that MuseTalk takes', () => {
  const facts = { weightBytes: 1.7e9, cpuBytes: 6.1e9 } as Converted;

  it('is said before it is taken, beside what is free', async () => {
    const said: string[] = [];
    const say = (sentence: string) => said.push(sentence);
    await checkMemory(bytesNeeded(facts, 'cuda'), 'cuda', 1, say, async () => 8e9);
    await checkMemory(bytesNeeded(facts, 'cpu'), 'cpu', 0, say, async () => 7e9);
    await checkMemory(bytesNeeded(facts, 'webgpu', true), 'webgpu', 0, say, async () => undefined);
    const card = ((1.7e9 + CARD_ROOM_BYTES) / 1e9).toFixed(1);
    expect(said[0]).toBe(`MuseTalk takes ${card} GB of the memory of card 1 on CUDA, and 8.0 GB are free.`);
    expect(said[1]).toBe('MuseTalk takes 6.1 GB of memory on the CPU, and 7.0 GB are free.');
    expect(said[2]).toContain(`${((3.4e9 + CARD_ROOM_BYTES) / 1e9).toFixed(1)} GB`);
  });

  it('is refused where it is not free, with both numbers and a way out', async () => {
    const refused = checkMemory(
      6.1e9,
      'cpu',
      0,
      () => {},
      async () => 2e9,
    );
    await expect(refused).rejects.toThrow(/needs 6\.1 GB of memory and 2\.0 GB are free; .*set video\.lipSync\.engine/);
  });

  it('is really asked of this machine', async () => {
    const said: string[] = [];
    await checkMemory(1, 'cpu', 0, (sentence) => said.push(sentence));
    expect(Number(/and ([\d.]+) GB are free/.exec(said[0]!)![1])).toBeGreaterThan(0);
  });
});

describe('tensors and examples', () => {
  it('are split by frames and repeated to batches', () => {
    const batch = repeated({ dims: [1, 2], data: Float32Array.of(1, 2) }, 4);
    expect(batch).toEqual({ dims: [4, 2], data: Float32Array.of(1, 2, 1, 2, 1, 2, 1, 2) });
    expect(ofFrame({ dims: [2, 2], data: Uint8Array.of(1, 2, 3, 4) }, 1)).toEqual({
      dims: [1, 2],
      data: Uint8Array.of(3, 4),
    });
  });

  it('are kept and read again, bytes beside floats', async () => {
    const { face, parser, trial } = await readExamples(folder);
    expect(face.inputs).toEqual({ face: { dims: [1, 3], data: Uint8Array.of(1, 2, 3) } });
    expect(face.outputs).toEqual(numbers('latents', 1));
    expect(parser.outputs.classes!.data).toEqual(Uint8Array.of(0, 1, 18));
    expect(trial).toEqual(TRIAL);
    await expect(readExamples(join(folder, 'none'))).rejects.toThrow(
      /damaged; delete that folder, and run voice-chat models pull musetalk/,
    );
  });
});
