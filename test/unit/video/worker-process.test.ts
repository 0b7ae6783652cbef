import { access, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { flashSpeech } from '../../../src/bench/flash-clip.ts';
import { openBaseClip } from '../../../src/server/video/base/prepared.ts';
import { type BaseClipFacts, type Face, VIDEO_FPS, type VideoWorker } from '../../../src/server/video/contracts.ts';
import { openMuxer } from '../../../src/server/video/mux/open-muxer.ts';
import type * as RemoteModule from '../../../src/server/video/remote-video-worker.ts';
import type * as EngineProcessModule from '../../../src/server/workers/engine-process.ts';
import { boxes } from '../../contracts/muxer-boxes.ts';
import { built } from '../../fixtures/built.ts';
import { childrenNamed, isAlive } from '../../fixtures/children.ts';

const { EngineProcess } = await built<typeof EngineProcessModule>('server/workers/engine-process.js');
const { remoteVideoWorker, tryVideoWorker } = await built<typeof RemoteModule>('server/video/remote-video-worker.js');

const signal = new AbortController().signal;
const codec = await openMuxer('ffmpeg', { offline: true }, signal).catch(() => undefined);
const PRESETS = fileURLToPath(new URL('../../../src/server/video/avatars/presets', import.meta.url));
const RATE = 24_000;

type Process = EngineProcessModule.EngineProcess;

/** A worker as the server runs it; `pid` is its process. */
async function start(): Promise<{ process: Process; worker: VideoWorker; pid: number }> {
  const before = await childrenNamed('node');
  const process = await EngineProcess.start({
    stage: 'video',
    name: 'for clips',
    module: new URL('../../../dist/server/video/video-worker.js', import.meta.url),
    factory: 'create',
    settings: { encoder: 'ffmpeg', lipSync: { engine: 'visemes' }, readiness: 'stays', offline: true },
    startMs: 30_000,
    stallMs: 30_000,
    canary: (caller, signal) => tryVideoWorker(caller, RATE, signal),
  });
  const pid = (await childrenNamed('node')).find((one) => !before.includes(one))!;
  return { process, worker: remoteVideoWorker(process), pid };
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const got: T[] = [];
  for await (const item of items) got.push(item);
  return got;
}

/** Speech that goes on until `opened`. */
async function* until<T>(items: AsyncIterable<T>, opened: Promise<void>): AsyncGenerator<T> {
  yield* items;
  await opened;
}

describe.runIf(codec)('the video tier’s process', { timeout: 60_000 }, () => {
  let scratch: string;
  let base: string;
  const open: Process[] = [];

  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'voice-chat-worker-'));
    base = join(scratch, 'prepared');
    const { process, worker } = await start();
    const file = join(scratch, 'base.mp4');
    const [preset] = (await readdir(PRESETS)).filter((name) => name.endsWith('.png')).sort();
    const pictureFile = join(PRESETS, preset!);
    const [imported] = await all(worker.importPicture(await readFile(pictureFile), undefined, signal));
    if (!imported?.ok) throw new Error('No face was found in a preset.');
    const picture = join(scratch, 'picture.png');
    await writeFile(picture, imported.png);
    const words = { prompt: '', negativePrompt: '', seconds: 2 };
    const job = { loop: 'idle', pictureFile: picture, face: imported.face, ...words, file } as const;
    const told = await all(worker.still(job, signal));
    const facts = told.pop() as BaseClipFacts;
    const shares = told as number[];
    expect(shares.length).toBeGreaterThan(5);
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    // Hundreds of points in each frame would hold up whoever takes them in another process.
    expect(facts.faces).toBe('beside');
    expect(JSON.parse(await readFile(`${file}.faces.json`, 'utf8')).length).toBeGreaterThanOrEqual(2 * VIDEO_FPS - 1);
    expect((await all(worker.prepare(file, base, facts, signal))).at(-1)).toBe(1);
    await process[Symbol.asyncDispose]();
  }, 60_000);
  afterEach(async () => {
    for (const process of open.splice(0)) await process[Symbol.asyncDispose]();
  });
  afterAll(async () => {
    await rm(scratch, { recursive: true, force: true });
    await codec?.[Symbol.asyncDispose]();
  });

  const begin = async () => {
    const begun = await start();
    open.push(begun.process);
    return begun;
  };
  const job = (name: string) => ({ base, rate: RATE, file: join(scratch, name) });
  const lips = (face: Face) => face.outerLips.length;

  it('makes a picture’s loop and prepares it, with its face in every frame', async () => {
    await using clip = await openBaseClip(base);
    expect(clip).toMatchObject({ width: 512, height: 512 });
    expect(clip.frames).toBeGreaterThanOrEqual(2 * VIDEO_FPS - 1);
    for (const index of [0, clip.frames - 1]) expect(lips(clip.face(index))).toBeGreaterThan(4);
  });

  it('makes a clip of speech as it comes, as long as the speech', async () => {
    const { worker } = await begin();
    expect(worker.encoder).toMatch(/^ffmpeg/);
    expect(worker.mime).toMatch(/^video\/mp4/);
    const { opened, release } = gate();
    const speech = until(flashSpeech(3 * RATE, RATE, 2_400), opened);
    let bytes = Buffer.alloc(0);
    for await (const piece of worker.speak(job('clip.mp4'), speech, signal)) {
      bytes = Buffer.concat([bytes, piece]);
      // Two seconds of it are out before the speech has ended.
      if (boxes(bytes).filter(({ type }) => type === 'moof').length >= 20) release();
    }
    const frames = await all(codec!.decodeVideo(job('clip.mp4').file, 32, signal));
    expect(frames).toHaveLength(3 * VIDEO_FPS);
    await rm(job('clip.mp4').file);
  });

  it('that is killed in the middle of a clip takes its ffmpeg with it', async () => {
    const { worker, pid } = await begin();
    const { opened, release } = gate();
    const speech = until(flashSpeech(2 * RATE, RATE, 2_400), opened);
    const killed: number[] = [];
    const reading = all(
      (async function* () {
        for await (const piece of worker.speak(job('killed.mp4'), speech, signal)) {
          if (killed.length === 0) {
            killed.push(...(await childrenNamed('ffmpeg', pid)));
            process.kill(pid, 'SIGKILL');
          }
          yield piece;
        }
      })(),
    );
    await expect(reading).rejects.toThrow(expect.objectContaining({ name: 'VideoError' }));
    release();
    expect(killed.length).toBeGreaterThan(0);
    await vi.waitFor(
      async () => {
        for (const one of killed) expect(await isAlive(one)).toBe(false);
      },
      { timeout: 10_000 },
    );
    // Its replacement goes on.
    await all(worker.speak(job('again.mp4'), flashSpeech(RATE, RATE, 2_400), signal));
    await access(job('again.mp4').file);
  });

  it('ends with all it started when it is closed, and when a clip is cut', async () => {
    const { worker, process, pid } = await begin();
    const controller = new AbortController();
    const { opened, release } = gate();
    const speech = until(flashSpeech(2 * RATE, RATE, 2_400), opened);
    for await (const _ of worker.speak(job('cut.mp4'), speech, controller.signal)) controller.abort();
    release();
    const left = await childrenNamed('ffmpeg', pid);
    await vi.waitFor(async () => expect((await readdir(scratch)).filter((name) => name.startsWith('cut'))).toEqual([]));
    await process[Symbol.asyncDispose]();
    await vi.waitFor(async () => {
      for (const one of left) expect(await isAlive(one)).toBe(false);
    });
    expect(await isAlive(pid)).toBe(false);
  });

  it('tells of a base clip that is not there', async () => {
    const { worker } = await begin();
    const missing = { ...job('none.mp4'), base: join(scratch, 'missing') };
    await expect(all(worker.speak(missing, flashSpeech(RATE, RATE, 2_400), signal))).rejects.toThrow(/cannot be read/);
  });
});

function gate() {
  let release!: () => void;
  const opened = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { release, opened };
}
