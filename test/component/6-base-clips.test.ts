import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probe } from '../../src/server/machine/probe.ts';
import { WAN22_MODELS } from '../../src/server/models/manifest-video.ts';
import { ModelStore } from '../../src/server/models/store.ts';
import { setupFor } from '../../src/server/video/base/wan22/presets.ts';
import type { Wan22Settings } from '../../src/server/video/base/wan22/settings.ts';
import { createWan22 } from '../../src/server/video/base/wan22/wan22.ts';
import type { Wan22World } from '../../src/server/video/base/wan22/world.ts';
import type { BaseClipJob } from '../../src/server/video/contracts.ts';
import { roomyMachine, Wan22Bench } from '../fixtures/wan22.ts';

const never = new AbortController().signal;
const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0 && spawnSync('ffprobe', ['-version']).status === 0;
const PYTHON = 'python3';
const FRAMES = 33;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'voice-chat-component-6-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const job = (pictureFile: string, over: Partial<BaseClipJob> = {}): BaseClipJob => ({
  loop: 'idle',
  pictureFile,
  face: { box: { x: 0, y: 0, width: 1, height: 1 }, outerLips: [], innerLips: [], leftEye: [], rightEye: [], jaw: [] },
  prompt: 'A person looks calmly into the camera and breathes quietly.',
  negativePrompt: 'blurry',
  seconds: 2,
  file: join(folder, 'clip.mp4'),
  ...over,
});

/** Width, height and frames of a video, counted by decoding it. */
function measured(file: string): number[] {
  const entries = 'stream=width,height,nb_read_frames';
  const args = [
    '-v',
    'error',
    '-count_frames',
    '-select_streams',
    'v:0',
    '-show_entries',
    entries,
    '-of',
    'csv=p=0',
    file,
  ];
  return spawnSync('ffprobe', args, { encoding: 'utf8' }).stdout.trim().split(',').map(Number);
}

/** A video of a test picture, as LightX2V would give it. */
function sampleVideo(): string {
  const file = join(folder, 'sample.mp4');
  const source = `testsrc2=size=480x480:rate=16:duration=${FRAMES / 16}`;
  const made = spawnSync('ffmpeg', ['-y', '-v', 'error', '-f', 'lavfi', '-i', source, '-pix_fmt', 'yuv420p', file]);
  expect(made.status).toBe(0);
  return file;
}

/** Why the real thing cannot be tried here; empty when it can. */
async function lacking(): Promise<string> {
  const machine = await probe({ modelsFolder: tmpdir() }, never);
  try {
    const { weights } = setupFor({ preset: 'auto', weights: 'auto' }, machine);
    const hasIt = spawnSync(PYTHON, [
      '-c',
      'import importlib.util as u, sys; sys.exit(u.find_spec("lightx2v") is None)',
    ]);
    if (hasIt.status !== 0) return `LightX2V is not installed for ${PYTHON}`;
    const store = hubCache();
    const found = await store.find(WAN22_MODELS.find((model) => model.weights === weights)!);
    return found ? '' : `wan22-${weights} is not on this disk`;
  } catch (error) {
    return (error as Error).message;
  }
}

/** What the default configuration names; tests fetch nothing of this size. */
const hubCache = () =>
  new ModelStore({
    folder: join(homedir(), '.cache/huggingface/hub'),
    hub: 'http://127.0.0.1:9',
    token: '',
    offline: true,
  });

const real: Wan22Settings = {
  ...{ python: PYTHON, preset: 'auto', weights: 'auto', baseModel: '', highNoise: '', lowNoise: '', loras: [] },
  ...{ frames: FRAMES, steps: [1_000, 750, 500, 250], boundaryStep: 2, port: 0, startMinutes: 30 },
};

const why = await lacking();

describe.skipIf(!hasFfmpeg)('base clips by a stand-in for LightX2V (skipped without ffmpeg)', () => {
  it('come through unharmed, for every loop and a reply', async () => {
    using bench = new Wan22Bench({ sample: sampleVideo() });
    const store: Wan22World['store'] = {
      find: async () => undefined,
      missing: async () => ({ bytes: 0, files: 0 }),
      pull: async () => [],
    };
    await using maker = createWan22(bench.settings({ frames: FRAMES }), { machine: roomyMachine, store, pollMs: 20 });
    for (const loop of ['idle', 'listening', 'thinking', 'speaking-1', 'speaking-2', 'reply'] as const) {
      const file = join(folder, `${loop}.mp4`);
      await maker.make(job(bench.pictureFile, { loop, file }), () => {}, never);
      expect(measured(file)).toEqual([480, 480, FRAMES]);
    }
    expect(bench.record('start')).toHaveLength(2);
  });
});

describe.skipIf(why !== '' || !hasFfmpeg)(`base clips by LightX2V itself (${why || 'all is here'})`, () => {
  it('begin and end with the picture', { timeout: 3_600_000 }, async () => {
    const pictureFile = join(folder, 'face.png');
    const circle = "geq=lum='if(lt(hypot(X-240,Y-240),150),200,60)':cb=118:cr=140";
    spawnSync('ffmpeg', [
      '-y',
      '-v',
      'error',
      '-f',
      'lavfi',
      '-i',
      `color=s=480x480:d=1,${circle}`,
      '-frames:v',
      '1',
      pictureFile,
    ]);
    expect(existsSync(pictureFile)).toBe(true);
    const machine = await probe({ modelsFolder: tmpdir() }, never);
    await using maker = createWan22(real, { machine, store: hubCache() });
    const began = performance.now();
    const progress: number[] = [];
    const one = job(pictureFile);
    await maker.make(one, (done) => progress.push(done), never);
    console.log(`LightX2V: loaded and made ${FRAMES} frames in ${Math.round((performance.now() - began) / 1000)} s`);
    const again = performance.now();
    await maker.make(job(pictureFile, { loop: 'listening' }), () => {}, never);
    console.log(`LightX2V: made ${FRAMES} frames in ${Math.round((performance.now() - again) / 1000)} s`);
    expect(measured(one.file)).toEqual([480, 480, FRAMES]);
    expect(progress.filter((done) => done > 0.1 && done < 0.9).length).toBeGreaterThanOrEqual(3);
    const difference = (frame: number) => {
      const filter = `[0:v]select='eq(n,${frame})',format=gray[a];[1:v]format=gray[b];[a][b]blend=all_mode=difference,signalstats,metadata=print:file=-`;
      const args = [
        '-v',
        'error',
        '-i',
        one.file,
        '-i',
        pictureFile,
        '-filter_complex',
        filter,
        '-frames:v',
        '1',
        '-f',
        'null',
        '-',
      ];
      return Number(/YAVG=([\d.]+)/.exec(spawnSync('ffmpeg', args, { encoding: 'utf8' }).stdout)?.[1] ?? 255);
    };
    expect(difference(0)).toBeLessThan(12);
    expect(difference(FRAMES - 1)).toBeLessThan(12);
  });
});
