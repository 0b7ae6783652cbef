import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { create as createFlite } from '../server/engines/flite-tts.ts';
import { openBaseClip } from '../server/video/base/prepared.ts';
import { type BaseClipFacts, VIDEO_FPS, type VideoWorker } from '../server/video/contracts.ts';
import { moveMouth } from '../server/video/lip-sync/mouth.ts';
import { createVisemes, mouthShapes } from '../server/video/lip-sync/visemes.ts';
import { openMuxer } from '../server/video/mux/open-muxer.ts';
import { remoteVideoWorker, tryVideoWorker } from '../server/video/remote-video-worker.ts';
import { EngineProcess } from '../server/workers/engine-process.ts';
import { percentile, type Row, type Say } from './row.ts';

const RUNS = 7;
const SECONDS = 20;
const SENTENCE =
  'Of course. The weather stays mild until the evening, and tomorrow there may be a little rain before noon, so take a coat. ';
const PRESETS = new URL('../server/video/avatars/presets/', import.meta.url);
const forever = new AbortController().signal;

/**
 * How many seconds of a reply's clip are made in one second, still picture and visemes, 512 × 512: from the speech, given all
 * at once, to the whole file, by the worker process as the server runs it. What its parts cost alone is said beside it.
 */
export async function visemeSpeed(say: Say): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'voice-chat-visemes-'));
  try {
    const { rate, chunks } = await speech();
    await using process = await EngineProcess.start({
      stage: 'video',
      name: 'for the benchmark',
      module: new URL('../server/video/video-worker.js', import.meta.url),
      factory: 'create',
      settings: { encoder: 'auto', lipSync: { engine: 'visemes' } },
      startMs: 180_000,
      stallMs: 60_000,
      canary: (caller, signal) => tryVideoWorker(caller, rate, signal),
    });
    const worker = remoteVideoWorker(process);
    const base = await prepared(worker, folder, say);
    const speeds: number[] = [];
    const firsts: number[] = [];
    for (let i = 0; i <= RUNS; i++) {
      const began = performance.now();
      let first = 0;
      for await (const _ of worker.speak({ base, rate, file: join(folder, 'clip.mp4') }, given(chunks), forever)) {
        first ||= performance.now() - began;
      }
      // The first finds nothing warm.
      if (i === 0) continue;
      speeds.push((SECONDS * 1_000) / (performance.now() - began));
      firsts.push(first);
    }
    say(`${worker.encoder}; first bytes p50 ${percentile(firsts, 50).toFixed(0)} ms after the speech was there`);
    await parts(base, rate, chunks, folder, say);
    const rounded = (value: number) => Math.round(value * 100) / 100;
    const [p50, worst] = [rounded(percentile(speeds, 50)), rounded(Math.min(...speeds))];
    return [{ id: 'viseme-speed', unit: '× real time', n: RUNS, p50, worst, bar: 'p50 ≥ 2', ok: p50 >= 2 }];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function speech(): Promise<{ rate: number; chunks: Float32Array[] }> {
  await using voice = await createFlite();
  const { rate } = voice;
  const chunks: Float32Array[] = [];
  let missing = SECONDS * rate;
  while (missing > 0) {
    for await (const { samples } of voice.speak(SENTENCE, { name: '', speed: 1 }, forever)) {
      const part = samples.slice(0, missing);
      missing -= part.length;
      if (part.length > 0) chunks.push(part);
    }
  }
  return { rate, chunks };
}

async function prepared(worker: VideoWorker, folder: string, say: Say): Promise<string> {
  const [name] = (await readdir(PRESETS)).filter((one) => one.endsWith('.png')).sort();
  const pictureFile = fileURLToPath(new URL(name!, PRESETS));
  const file = join(folder, 'loop.mp4');
  const base = join(folder, 'prepared');
  for await (const imported of worker.importPicture(await readFile(pictureFile), undefined, forever)) {
    if (!imported.ok) throw new Error(imported.message);
    const words = { prompt: '', negativePrompt: '', seconds: 6 };
    let began = performance.now();
    let facts: BaseClipFacts = {};
    const job = { loop: 'speaking-1', pictureFile, face: imported.face, ...words, file } as const;
    for await (const news of worker.still(job, forever)) if (typeof news === 'object') facts = news;
    const made = performance.now() - began;
    began = performance.now();
    for await (const _ of worker.prepare(file, base, facts, forever));
    say(`a loop of 6 s: made in ${made.toFixed(0)} ms, prepared in ${(performance.now() - began).toFixed(0)} ms`);
  }
  return base;
}

/** What each part costs alone, in this process. */
async function parts(base: string, rate: number, chunks: Float32Array[], folder: string, say: Say): Promise<void> {
  const perFrame = async (what: string, work: () => Promise<void>) => {
    const began = performance.now();
    await work();
    say(`${what}: ${((performance.now() - began) / (SECONDS * VIDEO_FPS)).toFixed(2)} ms per frame`);
  };
  await using clip = await openBaseClip(base);
  await using visemes = createVisemes();
  const shapes: Parameters<typeof moveMouth>[2][] = [];
  await perFrame('sound to mouth shapes', async () => {
    for await (const shape of mouthShapes(given(chunks), rate, forever)) shapes.push(shape);
  });
  await perFrame('reading frames', async () => {
    for (let i = 0; i < shapes.length; i++) await clip.picture(i % clip.frames);
  });
  const pictures = await Promise.all(Array.from({ length: 25 }, (_, i) => clip.picture(i)));
  await perFrame('moving the mouth', async () => {
    for (const [i, shape] of shapes.entries()) {
      const { width, height, rgb } = pictures[i % 25]!;
      moveMouth({ width, height, rgb }, clip.face(i % 25), shape);
    }
  });
  await perFrame('all three', async () => {
    for await (const _ of visemes.frames(clip, given(chunks), rate, forever));
  });
  await using muxer = await openMuxer('auto', {}, forever);
  const frames = async function* () {
    for (let i = 0; i < SECONDS * VIDEO_FPS; i++) yield pictures[i % 25]!;
  };
  const format = { width: clip.width, height: clip.height, rate };
  await perFrame('encoding alone', async () => {
    for await (const _ of muxer.mux(frames(), given(chunks), format, join(folder, 'alone.mp4'), forever));
  });
}

async function* given<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}
