import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Wan22Settings } from '../../../src/server/video/base/wan22/settings.ts';
import { createWan22, type Wan22 } from '../../../src/server/video/base/wan22/wan22.ts';
import type { Wan22World } from '../../../src/server/video/base/wan22/world.ts';
import { type BaseClipJob, VideoError } from '../../../src/server/video/contracts.ts';
import { isRunning, loraTensors, roomyMachine, Wan22Bench, writeSafetensors } from '../../fixtures/wan22.ts';

const never = new AbortController().signal;
const noStore: Wan22World['store'] = {
  find: async () => undefined,
  missing: async () => ({ bytes: 0, files: 0 }),
  pull: async () => {
    throw new Error('Nothing is to be fetched.');
  },
};

const opened: (Disposable | AsyncDisposable)[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) {
    if (Symbol.asyncDispose in one) await one[Symbol.asyncDispose]();
    else one[Symbol.dispose]();
  }
});

function open(behaviour: object = {}, settings: Partial<Wan22Settings> = {}, world: Partial<Wan22World> = {}) {
  const bench = new Wan22Bench(behaviour);
  const pauses: number[] = [];
  const said: string[] = [];
  const say = (line: string) => void said.push(line);
  const maker = createWan22(
    bench.settings(settings),
    { machine: roomyMachine, store: noStore, pollMs: 5, pause: async (ms) => void pauses.push(ms), ...world },
    { debug: say, info: say, warn: say },
  );
  opened.push(bench, maker);
  return { bench, maker, pauses, said };
}

const job = (bench: Wan22Bench, over: Partial<BaseClipJob> = {}): BaseClipJob => ({
  loop: 'idle',
  pictureFile: bench.pictureFile,
  face: { box: { x: 0, y: 0, width: 1, height: 1 }, outerLips: [], innerLips: [], leftEye: [], rightEye: [], jaw: [] },
  prompt: 'A person breathes.',
  negativePrompt: 'blurry',
  seconds: 5,
  file: join(bench.folder, 'clip.mp4'),
  ...over,
});

const make = (maker: Wan22, one: BaseClipJob, signal: AbortSignal = never) => maker.make(one, () => {}, signal);

/** Waits until the fake has written something down. */
async function recorded(bench: Wan22Bench, what: string, count = 1): Promise<void> {
  while (bench.record(what).length < count) await sleep(5);
}

describe('a video by LightX2V', () => {
  it('is made by a server on loopback, of a complete task, and nothing of it is left behind', async () => {
    const { bench, maker } = open();
    const progress: number[] = [];
    const facts = await maker.make(job(bench), (done) => progress.push(done), never);
    expect(facts).toEqual({});
    expect(readFileSync(join(bench.folder, 'clip.mp4'), 'utf8')).toBe('a video');
    expect(readdirSync(bench.folder).filter((name) => name.endsWith('.part'))).toEqual([]);
    const [start] = bench.record('start') as unknown as [
      { args: object; config: object; cache: string; alloc: string; pid: number },
    ];
    expect(start.args).toMatchObject({ host: '127.0.0.1', model_cls: 'wan2.2_moe_distill', task: 'flf2v' });
    expect(start.args).toMatchObject({ model_path: bench.base });
    expect(start.alloc).toBe('expandable_segments:True');
    expect(statSync(start.cache).mode & 0o077 ? statSync(join(start.cache, '..')).mode & 0o077 : 0).toBe(0);
    expect(start.config).toMatchObject({
      high_noise_quantized_ckpt: bench.highNoise,
      low_noise_quantized_ckpt: bench.lowNoise,
      dit_quant_scheme: 'int8-q8f',
      sample_shift: 16,
    });
    const [{ sent }] = bench.record('submit') as unknown as [{ sent: Record<string, unknown> }];
    expect(sent).toMatchObject({
      target_video_length: 81,
      resize_mode: 'adaptive',
      last_frame_path: bench.pictureFile,
      infer_steps: 4,
      reuse: false,
      lora_name: null,
      target_shape: [],
    });
    expect(sent.image_path).toMatch(/^data:image\/png;base64,/);
    // Inputs and outputs pile up with LightX2V.
    expect(readdirSync(start.cache, { recursive: true, withFileTypes: true }).filter((one) => one.isFile())).toEqual(
      [],
    );
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
    expect(progress.at(-1)).toBe(1);
    await maker[Symbol.asyncDispose]();
    expect(existsSync(start.cache)).toBe(false);
    expect(isRunning(start.pid)).toBe(false);
  });

  it('hears its steps from the output alone', async () => {
    const { bench, maker } = open({ holdAt: 3 });
    const progress: number[] = [];
    const made = maker.make(job(bench), (done) => progress.push(done), never);
    // Two of four steps done, between a tenth for loading and nine tenths for the steps.
    while (!progress.includes(0.5)) await sleep(5);
    bench.go();
    await made;
  });

  it('leaves nothing of a task to the next', async () => {
    const { bench, maker } = open();
    await make(maker, job(bench, { seconds: 2 }));
    await make(maker, job(bench));
    const runs = bench.record('run');
    expect(runs.map(({ frames }) => frames)).toEqual([33, 81]);
    const [first, second] = bench.record('submit') as unknown as { sent: Record<string, unknown> }[];
    expect(Object.keys(first!.sent)).toEqual(Object.keys(second!.sent));
    expect(bench.record('start')).toHaveLength(1);
  });

  it('of a reply goes on from the picture, by a server set up for that', async () => {
    const { bench, maker } = open();
    await make(maker, job(bench));
    expect(await make(maker, job(bench, { loop: 'reply' }))).toEqual({ closes: false });
    const starts = bench.record('start') as unknown as { args: { task: string }; config: { sample_shift: number } }[];
    expect(starts.map(({ args, config }) => [args.task, config.sample_shift])).toEqual([
      ['flf2v', 16],
      ['i2v', 5],
    ]);
    expect(bench.record('run')[1]!.lastFrame).toBe('');
  });

  it('is made one at a time, whoever asks', async () => {
    const { bench, maker } = open();
    const files = ['a', 'b', 'c'].map((name) => join(bench.folder, `${name}.mp4`));
    await Promise.all(files.map((file) => make(maker, job(bench, { file }))));
    const order = bench.record().filter(({ what }) => what === 'submit' || what === 'done');
    expect(order.map(({ what }) => what)).toEqual(['submit', 'done', 'submit', 'done', 'submit', 'done']);
    expect(files.every((file) => existsSync(file))).toBe(true);
  });

  it('waits while the queue is full', async () => {
    const { bench, maker } = open({ full: 3 });
    await make(maker, job(bench));
    expect(bench.record('full')).toHaveLength(3);
  });

  it('is made once, also when the answer that it was taken is lost', async () => {
    const { bench, maker } = open({ losesAnswer: true });
    await make(maker, job(bench));
    expect(bench.record('submit')).toHaveLength(1);
    expect(readFileSync(join(bench.folder, 'clip.mp4'), 'utf8')).toBe('a video');
  });

  it('waits for a server that loads slowly, and for one that listens before it is ready', async () => {
    const { bench, maker } = open({ loadMs: 100, getUpMs: 100, chatter: 500 });
    await make(maker, job(bench));
    expect(bench.record('done')).toHaveLength(1);
  });

  it('takes its own port and no other server for its own', async () => {
    const other = createServer((_, response) => response.end('{"status":"ok"}'));
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const { bench, maker } = open({}, { port });
    await expect(make(maker, job(bench))).rejects.toThrow(/port .* is taken|Another server/);
    other.close();
  });
});

describe('a cancelled video', () => {
  it('is dropped at once, also when LightX2V completes it, and the next one waits for its turn', async () => {
    const { bench, maker } = open({ holdAt: 2 });
    const cancel = new AbortController();
    const first = make(maker, job(bench), cancel.signal);
    await recorded(bench, 'held');
    cancel.abort(new Error('somebody talks'));
    await expect(first).rejects.toThrow('somebody talks');
    expect(existsSync(join(bench.folder, 'clip.mp4'))).toBe(false);
    const second = make(maker, job(bench, { file: join(bench.folder, 'second.mp4') }));
    await recorded(bench, 'submit', 2);
    expect(bench.record('delete')).toHaveLength(1);
    bench.go();
    await second;
    // The first was completed, though cancelled; nobody fetched it.
    expect(bench.record('done')).toHaveLength(2);
    expect(bench.record('start')).toHaveLength(1);
    expect(existsSync(join(bench.folder, 'clip.mp4'))).toBe(false);
    expect(existsSync(join(bench.folder, 'second.mp4'))).toBe(true);
  });

  it('is ended with its server when the next one would wait longer than a start takes', async () => {
    const { bench, maker } = open({ stepMs: 600 });
    // Measured on a first video: 600 ms for a step.
    await make(maker, job(bench));
    bench.behave({ stepMs: 600, holdAt: 1 });
    const cancel = new AbortController();
    const second = make(maker, job(bench), cancel.signal);
    await recorded(bench, 'held');
    cancel.abort();
    await expect(second).rejects.toThrow();
    bench.behave({});
    await make(maker, job(bench));
    expect(bench.record('start')).toHaveLength(2);
  });

  it('while the server loads leaves the loading to the next', async () => {
    const { bench, maker } = open({ getUpMs: 150 });
    const cancel = new AbortController();
    const first = make(maker, job(bench), cancel.signal);
    await recorded(bench, 'start');
    cancel.abort();
    await expect(first).rejects.toThrow();
    await make(maker, job(bench));
    expect(bench.record('start')).toHaveLength(1);
  });

  it('before it began is none at all', async () => {
    const { bench, maker } = open();
    await expect(make(maker, job(bench), AbortSignal.abort())).rejects.toThrow();
    expect(bench.record()).toEqual([]);
  });
});

describe('a LightX2V that fails', () => {
  it('in mid-task fails that task alone, and is started again after a pause', async () => {
    const { bench, maker, pauses } = open({ dieAt: 2 });
    const secret = 'The word of the day is rhubarb.';
    const error = await make(maker, job(bench, { prompt: secret })).catch((one: unknown) => one);
    expect(error).toBeInstanceOf(VideoError);
    expect((error as Error).message).toMatch(/ended while it made a video.*illegal memory access/);
    expect((error as Error).message).not.toContain('rhubarb');
    bench.behave({});
    await make(maker, job(bench));
    expect(pauses).toEqual([0, 2_000]);
    expect(bench.record('start')).toHaveLength(2);
  });

  it('without a sign for long is ended', async () => {
    const { bench, maker } = open({ holdAt: 1 }, {}, { hungMs: 100 });
    await expect(make(maker, job(bench))).rejects.toThrow(/said nothing for 0 s and was ended/);
    expect(isRunning(bench.record('start')[0]!.pid)).toBe(false);
  });

  it('never takes a task, and says nothing, is ended', async () => {
    const { bench, maker } = open({ full: 1e9 }, {}, { hungMs: 100 });
    await expect(make(maker, job(bench))).rejects.toThrow(/said nothing for 0 s and was ended/);
    expect(isRunning(bench.record('start')[0]!.pid)).toBe(false);
  });

  it('again and again is left alone', async () => {
    const { bench, maker, pauses } = open({ dieAtStart: 'RuntimeError: no kernel image is available' });
    for (let i = 0; i < 4; i++) await expect(make(maker, job(bench))).rejects.toThrow(/no kernel image/);
    await expect(make(maker, job(bench))).rejects.toThrow(/4 times in a row.*no kernel image/);
    expect(pauses).toEqual([0, 2_000, 10_000, 30_000]);
    expect(bench.record('start')).toHaveLength(4);
  });

  it.each<[string, object, Partial<Wan22Settings>, RegExp]>([
    ['is not installed', { missing: true }, {}, /LightX2V is not installed.*pip install/],
    ['has no Python', {}, { python: '/nowhere/python' }, /\/nowhere\/python is no program/],
    [
      'lacks a kernel',
      { dieAtStart: "ModuleNotFoundError: No module named 'q8_kernels'" },
      {},
      /lacks the package q8_kernels/,
    ],
    [
      'has no memory left',
      { dieAtStart: 'torch.OutOfMemoryError: CUDA out of memory.' },
      {},
      /memory of the card ran out/,
    ],
    ['is never ready', { hangs: true }, { startMinutes: 0.01 }, /not ready after.*startMinutes/],
    ['cannot make it', { fail: 'RuntimeError: mat1 and mat2 differ' }, {}, /could not make the video.*mat1/],
  ])('because it %s says so', async (_, behaviour, settings, sentence) => {
    const { bench, maker } = open(behaviour, settings);
    await expect(make(maker, job(bench))).rejects.toThrow(sentence);
  });

  it.each<[string, string, readonly string[], boolean]>([
    ['one that cannot be applied', 'I8', ["Model does not have 'original_weight_dict'. Cannot apply LoRA."], false],
    ['one of two that were to be merged', 'BF16', ['Applied 400 LoRA weight adjustments out of 400 possible'], false],
    ['none', 'BF16', Array(2).fill('Applied 400 LoRA weight adjustments out of 400 possible'), true],
  ])('by leaving out LoRAs is found out: %s', async (_, type, applied, works) => {
    using bench = new Wan22Bench({ applied }, type);
    const loras = (['high_noise', 'low_noise'] as const).map((target) => {
      const path = join(bench.folder, `style_${target}.safetensors`);
      writeSafetensors(path, loraTensors);
      return { target, path, strength: 1 };
    });
    const settings = bench.settings({ loras, weights: type === 'I8' ? 'int8' : 'bf16' });
    await using maker = createWan22(settings, { machine: roomyMachine, store: noStore, pollMs: 5 });
    const made = make(maker, job(bench));
    await (works ? made : expect(made).rejects.toThrow(/did not apply the LoRAs/));
  });
});

describe('before LightX2V is started', () => {
  const loras = (bench: Wan22Bench, high: string, low: string) =>
    [['high_noise', high] as const, ['low_noise', low] as const].map(([target, name]) => {
      const path = join(bench.folder, name);
      writeSafetensors(path, loraTensors);
      return { target, path, strength: 1 };
    });
  const [card] = roomyMachine.gpus;

  it.each<[string, (bench: Wan22Bench) => Partial<Wan22Settings>, Partial<Wan22World>, RegExp]>([
    ['frames', () => ({ frames: 80 }), {}, /frames must be 4n \+ 1/],
    ['steps and boundary', () => ({ boundaryStep: 4 }), {}, /boundaryStep is 4/],
    [
      'the base model',
      (bench) => {
        rmSync(join(bench.base, 'Wan2.1_VAE.pth'));
        return {};
      },
      {},
      /Wan2\.1_VAE\.pth of the base model is missing/,
    ],
    [
      'the experts',
      ({ highNoise, lowNoise }) => ({ highNoise: lowNoise, lowNoise: highNoise }),
      {},
      /calls itself low_noise.*swapped/,
    ],
    [
      'the LoRAs',
      (bench) => ({ loras: loras(bench, 'style_low_noise.safetensors', 'style_high_noise.safetensors') }),
      {},
      /is for low_noise.*gives it to high_noise/,
    ],
    ['the card', () => ({}), { machine: { ...roomyMachine, gpus: [{ ...card!, freeBytes: 6e9 }] } }, /6\.0 GB/],
    [
      'the memory',
      () => ({}),
      { machine: { ...roomyMachine, memory: { availableBytes: 8e9 } } },
      /and 8\.0 GB are free/,
    ],
  ])('it is looked at whether %s will do', async (_, wrong, world, sentence) => {
    using bench = new Wan22Bench();
    await using maker = createWan22(bench.settings(wrong(bench)), { machine: roomyMachine, store: noStore, ...world });
    await expect(make(maker, job(bench))).rejects.toThrow(sentence);
    await expect(make(maker, job(bench))).rejects.toThrow(VideoError);
    expect(bench.record('start')).toEqual([]);
  });

  it.skipIf(process.platform !== 'linux')('it is looked at whether the disk has room', async () => {
    using bench = new Wan22Bench();
    // A file system that never has any.
    vi.stubEnv('TMPDIR', '/proc');
    await using maker = createWan22(bench.settings(), { machine: roomyMachine, store: noStore });
    await expect(make(maker, job(bench))).rejects.toThrow(/disk of \/proc has 0\.0 GB free/);
    vi.unstubAllEnvs();
    expect(bench.record('start')).toEqual([]);
  });
});

describe('the card', () => {
  it('is given back on request, unless somebody waits', async () => {
    const { bench, maker } = open({ holdAt: 1 });
    const made = make(maker, job(bench));
    await recorded(bench, 'held');
    const { pid } = bench.record('start')[0]!;
    await maker.release();
    expect(isRunning(pid)).toBe(true);
    bench.go();
    await made;
    await maker.release();
    expect(isRunning(pid)).toBe(false);
    await make(maker, job(bench));
    expect(bench.record('start')).toHaveLength(2);
  });

  it('is given back at once by a server that works on what nobody wants any more', async () => {
    const { bench, maker } = open({ holdAt: 1 });
    const cancel = new AbortController();
    const made = make(maker, job(bench), cancel.signal);
    await recorded(bench, 'held');
    cancel.abort();
    await expect(made).rejects.toThrow();
    await maker.release();
    expect(isRunning(bench.record('start')[0]!.pid)).toBe(false);
  });

  it('is given back after a time without jobs', async () => {
    const { bench, maker } = open({}, {}, { idleMs: 20 });
    await make(maker, job(bench));
    const { pid } = bench.record('start')[0]!;
    while (isRunning(pid)) await sleep(5);
    expect(bench.record('sigterm')).toHaveLength(1);
  });

  it('is freed at the end even by a server that does not listen to that', { timeout: 20_000 }, async () => {
    const { bench, maker } = open({ ignoresTerm: true, holdAt: 1 });
    const made = make(maker, job(bench));
    await recorded(bench, 'held');
    const { pid, cache } = bench.record('start')[0] as { pid: number; cache?: string };
    const gone = expect(made).rejects.toThrow('shut down');
    await maker[Symbol.asyncDispose]();
    await gone;
    expect(isRunning(pid)).toBe(false);
    expect(existsSync(cache!)).toBe(false);
  });

  it('is freed when we are killed, and nothing is left on the disk', { timeout: 20_000 }, async () => {
    using bench = new Wan22Bench({});
    // A program of its own, that supervises as the server does, and is killed.
    const supervised = fileURLToPath(new URL('../../../src/server/video/base/wan22/supervised.ts', import.meta.url));
    const folder = join(bench.folder, 'private');
    const config = join(bench.folder, 'config.json');
    writeFileSync(config, '{"denoising_step_list": [1]}');
    const args = ['-m', 'lightx2v.server', '--model_path', 'x', '--config_json', config, '--port', '0'];
    const env = { LIGHTX2V_CACHE_DIR: join(folder, 'cache') };
    const { transformSync } = await import('esbuild');
    const code = transformSync(readFileSync(supervised, 'utf8'), { loader: 'ts', format: 'esm' }).code;
    const program = JSON.stringify({ command: bench.python, args, env, folder });
    const script = join(bench.folder, 'parent.mjs');
    writeFileSync(script, `${code}\nsupervise({ ...${program}, onLine: () => {} });\n`);
    const parent = spawn(process.execPath, [script], { stdio: 'ignore' });
    await recorded(bench, 'start');
    const { pid } = bench.record('start')[0]!;
    expect(isRunning(pid)).toBe(true);
    parent.kill('SIGKILL');
    while (isRunning(pid)) await sleep(10);
    while (existsSync(folder)) await sleep(10);
  });
});

describe('the maker', () => {
  it('is heavy, and of another version when it would make other pictures', () => {
    const { bench, maker } = open();
    const other = (settings: Partial<Wan22Settings>) =>
      createWan22(bench.settings(settings), { machine: roomyMachine, store: noStore }).version;
    expect(maker.heavy).toBe(true);
    expect(other({})).toBe(maker.version);
    expect(other({ port: 5, startMinutes: 3, python: 'python4' })).toBe(maker.version);
    const others = [
      other({ steps: [1_000, 500] }),
      other({ frames: 49 }),
      other({ highNoise: '', lowNoise: '' }),
      other({ preset: 'floor' }),
      other({ loras: [{ target: 'high_noise', path: 'x', strength: 1 }] }),
    ];
    expect(new Set([maker.version, ...others]).size).toBe(6);
  });

  it('never writes down what is to be shown', async () => {
    const { bench, maker, said } = open();
    await make(maker, job(bench, { prompt: 'the word rhubarb' }));
    expect(said.join('\n')).toContain('LightX2V is ready');
    expect(said.join('\n')).not.toContain('rhubarb');
  });
});
