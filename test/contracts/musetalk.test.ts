import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm, stat, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type * as Convert from '../../src/server/video/lip-sync/musetalk/convert/convert.ts';
import type { Converted, Sources } from '../../src/server/video/lip-sync/musetalk/convert/converted.ts';
import { type Examples, readExamples } from '../../src/server/video/lip-sync/musetalk/convert/examples.ts';
import { difference } from '../../src/server/video/lip-sync/musetalk/convert/parity.ts';
import type { MuseTalkSettings } from '../../src/server/video/lip-sync/musetalk/networks.ts';
import type * as Measure from '../../src/server/video/lip-sync/musetalk/process/measure.ts';
import type * as StartNetworks from '../../src/server/video/lip-sync/musetalk/process/start-networks.ts';
import { repeated } from '../../src/server/video/lip-sync/musetalk/process/tensors.ts';
import { built } from '../fixtures/built.ts';
import { childrenNamed, isAlive } from '../fixtures/children.ts';
import { notInstalled } from '../fixtures/installed.ts';
import { tinySources } from '../fixtures/musetalk/tiny-sources.ts';

const missing = notInstalled('onnxruntime-node');
const forever = new AbortController().signal;
const PART = 'server/video/lip-sync/musetalk';

describe.skipIf(missing)(`MuseTalk, converted and in a process of its own${missing ?? ''}`, { timeout: 60_000 }, () => {
  let convert: typeof Convert.convert;
  let startNetworks: typeof StartNetworks.startNetworks;
  let scratch: string;
  let sources: Sources;
  let made: Converted;
  let examples: Examples;
  const steps: string[] = [];
  const into = () => join(scratch, 'musetalk', 'converted');
  const settings = (): MuseTalkSettings => ({ folder: into(), device: 'cpu', gpu: 0, mask: 'jaw', margin: 10 });
  const floats = (name: keyof Examples, input: string) => examples[name].inputs[input]!.data as Float32Array;

  beforeAll(async () => {
    ({ convert } = await built<typeof Convert>(`${PART}/convert/convert.js`));
    ({ startNetworks } = await built<typeof StartNetworks>(`${PART}/process/start-networks.js`));
    scratch = await mkdtemp(join(tmpdir(), 'voice-chat-musetalk-'));
    sources = await tinySources(scratch);
    const tell = ({ step }: { step: string }) => void (steps.at(-1) === step || steps.push(step));
    made = await convert(sources, into(), tell, forever);
    examples = await readExamples(into());
  }, 60_000);
  afterAll(() => rm(scratch, { recursive: true, force: true }));

  it('is converted whole, tried out against stored results, and leaves nothing else', async () => {
    expect(steps).toEqual(['speech', 'parser', 'pose', 'face', 'frame', 'check']);
    expect(made).toMatchObject({ width: 32, folder: into() });
    const { reference, half } = made.parity;
    expect(reference.latents).toBeLessThan(1e-4);
    expect(reference.states).toBeLessThan(1e-4);
    expect(reference.logits).toBeLessThan(1e-4);
    expect(reference['faces-f32']).toBeLessThanOrEqual(1);
    expect(half.max).toBeLessThanOrEqual(1);
    expect(made.cpuBytes).toBeGreaterThan(5e7);
    expect(await readdir(join(scratch, 'musetalk'))).toEqual(['converted']);
    // One file of weights for both graphs that paint.
    const { size } = await stat(join(into(), 'frame.data'));
    expect(size).toBe(made.weightBytes);
  });

  it('is converted once, and anew when a source is another', async () => {
    const told: unknown[] = [];
    expect(await convert(sources, into(), (one) => told.push(one), forever)).toEqual(made);
    expect(told).toEqual([]);
    const stop = new AbortController();
    await utimes(sources.pose, 1, 1);
    const begun = convert(sources, into(), () => stop.abort(new Error('It began.')), stop.signal);
    await expect(begun).rejects.toThrow('It began.');
    await utimes(sources.pose, 0, 0);
    // What was there before the interruption still is.
    expect(await convert(sources, into(), (one) => told.push(one), forever)).toEqual(made);
    expect(await readdir(join(scratch, 'musetalk'))).toEqual(['converted']);
  });

  it('gives in its process what it gave when it was converted', async () => {
    const said: string[] = [];
    await using networks = startNetworks(settings(), (sentence) => said.push(sentence));
    expect(networks.width).toBe(32);
    expect(networks.up).toBe(false);
    // The runtime's threads may sum in another order.
    const isSame = (is: ArrayLike<number>, should: ArrayLike<number>) => {
      expect(is).toHaveLength(should.length);
      expect(difference(is, should).max).toBeLessThan(1e-4);
    };
    isSame(await networks.speech(floats('speech', 'mel'), 100, 110, forever), floats('frame', 'states'));
    expect(networks.up).toBe(true);
    const face = examples.face.inputs.face!.data as Uint8Array;
    isSame(await networks.latents(face, forever), examples.face.outputs.latents!.data);
    const classes = await networks.parse(floats('parser', 'picture'), forever);
    expect(difference(classes, examples.parser.outputs.classes!.data).mean).toBeLessThan(0.01);
    const { x, y } = await networks.pose(floats('pose', 'picture'), forever);
    isSame(x, examples.pose.outputs.simcc_x!.data);
    isSame(y, examples.pose.outputs.simcc_y!.data);
    const batch = (input: string) => repeated(examples.frame.inputs[input]!, 4).data as Float32Array;
    const faces = await networks.faces(batch('states'), batch('latents'), forever);
    const four = repeated(examples.frame.outputs.faces!, 4).data;
    expect(difference(faces, four).max).toBeLessThanOrEqual(1);
    expect(said[0]).toBe('MuseTalk computes on the CPU (32 bits).');
    expect(said[1]).toMatch(/^MuseTalk takes \d+\.\d GB of memory on the CPU, and \d+\.\d GB are free\.$/);
    const odd = networks.faces(batch('states').subarray(0, 4800), batch('latents').subarray(0, 24_576), forever);
    await expect(odd).rejects.toThrow(expect.objectContaining({ name: 'VideoError' }));
  });

  it('obeys an abort between frames, answers the next, and tells of a closed one', async () => {
    const networks = startNetworks(settings(), () => {});
    const { states, latents } = examples.frame.inputs;
    const paint = (batch: number, signal: AbortSignal) =>
      networks.faces(
        repeated(states!, batch).data as Float32Array,
        repeated(latents!, batch).data as Float32Array,
        signal,
      );
    await paint(1, forever);
    const stop = new AbortController();
    const eight = paint(8, stop.signal);
    stop.abort(new Error('Barge-in.'));
    await expect(eight).rejects.toThrow('Barge-in.');
    await expect(paint(1, stop.signal)).rejects.toThrow('Barge-in.');
    expect(await paint(1, forever)).toHaveLength(256 * 256 * 3);
    await networks[Symbol.asyncDispose]();
    expect(networks.up).toBe(false);
    await expect(paint(1, forever)).rejects.toThrow();
  });

  it('is replaced when its process is killed, and the call in flight fails', async () => {
    const said: string[] = [];
    const before = await childrenNamed('node');
    await using networks = startNetworks(settings(), (sentence) => said.push(sentence));
    const { states, latents } = examples.frame.inputs;
    const paint = (batch: number) =>
      networks.faces(
        repeated(states!, batch).data as Float32Array,
        repeated(latents!, batch).data as Float32Array,
        forever,
      );
    const face = await paint(1);
    const [pid] = (await childrenNamed('node')).filter((one) => !before.includes(one));
    const eight = paint(8);
    process.kill(pid!, 'SIGKILL');
    await expect(eight).rejects.toThrow(expect.objectContaining({ name: 'VideoError' }));
    await vi.waitFor(() => expect(said.join()).toContain('runs again'), { timeout: 20_000 });
    expect(difference(await paint(1), face).max).toBeLessThanOrEqual(1);
  });

  it('ends with its owner, however that ends', async () => {
    const module = new URL(`../../dist/${PART}/process/start-networks.js`, import.meta.url).href;
    const code = `
      const { startNetworks } = await import(${JSON.stringify(module)});
      const networks = startNetworks(${JSON.stringify(settings())}, () => {});
      const picture = new Float32Array(3 * 384 * 288);
      await networks.pose(picture, new AbortController().signal);
      console.log('computed');
      setInterval(() => {}, 1000);`;
    const owner = spawn(process.execPath, ['--input-type=module', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise<void>((resolve) => owner.stdout.once('data', () => resolve()));
    const [child] = await childrenNamed('node', owner.pid);
    expect(child).toBeDefined();
    owner.kill('SIGKILL');
    await vi.waitFor(async () => expect(await isAlive(child!)).toBe(false), { timeout: 10_000 });
  });

  it('is measured in a process of its own', async () => {
    const { measureSpeed } = await built<typeof Measure>(`${PART}/process/measure.js`);
    const speed = await measureSpeed(into(), 'cpu', 0, forever);
    expect(speed.device).toBe('cpu');
    expect(speed.framesPerSecond).toBeGreaterThan(0);
    expect(speed.firstBatchMs).toBeGreaterThan(0);
    expect(Object.keys(speed.byBatch)).toEqual(['1']);
    await expect(measureSpeed(join(scratch, 'none'), 'cpu', 0, forever)).rejects.toThrow(/models pull musetalk/);
  });
});
