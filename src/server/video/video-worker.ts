import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { getPriority, setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { abortable } from '../async/abortable.ts';
import { Queue } from '../async/queue.ts';
import { openBaseClip, PREPARED_SIZE } from './base/prepared.ts';
import {
  type BaseClipFacts,
  type BaseClipJob,
  type Crop,
  type ImportedPicture,
  type SpeakJob,
  VIDEO_FPS,
  type VideoWorker,
} from './contracts.ts';
import { type LipSyncSettings, openLipSync, type Readiness } from './lip-sync/open-lip-sync.ts';
import { PictureCache } from './lip-sync/picture-cache.ts';
import { type LipSyncMessage, serveLipSync } from './lip-sync/serve-lip-sync.ts';
import { type EncoderKind, openMuxer } from './mux/open-muxer.ts';
import type { News } from './news.ts';
import { facesFile, preparing } from './preparing.ts';
import { progress } from './progress.ts';

/** What the video tier's process is started with: plain data. */
export type VideoWorkerSettings = {
  readonly encoder: EncoderKind;
  readonly lipSync: LipSyncSettings;
  /** Of the lip-sync: the process for clips has it ready, another one opens it when it has work for it. */
  readonly readiness: Readiness;
  /** Where fetched packages are kept; `~/.cache/voice-chat` if not given. */
  readonly cacheDir?: string;
  readonly offline?: boolean;
};

/** Lower than the engines of speech, whose users wait. */
const NICENESS = 19;

/** What the process offers beyond its contract. */
export type TriableWorker = VideoWorker &
  AsyncDisposable & {
    /** Makes a clip of one frame at `rate` and throws it away: proves the encoder, and makes it ready for the next clip. */
    tryOut(rate: number, signal: AbortSignal): AsyncIterable<number>;
    /** Lends its lip-sync to another voice-chat: takes what that one says, as text or bytes, and gives what it is to hear. */
    lend(messages: AsyncIterable<LipSyncMessage>, signal: AbortSignal): AsyncIterable<LipSyncMessage>;
    /** What there is to say for the log, as it comes, until `signal` aborts; `ends` is only there to end with it. */
    news(ends: AsyncIterable<never>, signal: AbortSignal): AsyncIterable<News>;
  };

/** Opens the parts of the video tier that compute; meant for a process of its own, which it makes give way to others. */
export async function create(settings: VideoWorkerSettings): Promise<TriableWorker> {
  if (getPriority() < NICENESS) setPriority(NICENESS);
  const { cacheDir, offline } = settings;
  const debian = {
    ...(cacheDir === undefined ? {} : { cacheDir }),
    ...(offline === undefined ? {} : { offline }),
    say: (sentence: string) => void process.stderr.write(`${sentence}\n`),
  };
  const codec = await openMuxer(settings.encoder, debian, new AbortController().signal);
  const news = new Queue<News>();
  const warned = new Set<string>();
  const say = (one: News) => {
    // What keeps one clip from being made ready keeps the others from it too.
    if (one.level === 'warn' && warned.has(one.text)) return;
    warned.add(one.text);
    news.push(one);
  };
  const lipSync = await openLipSync(settings.lipSync, settings.readiness, say);

  async function* speak(
    job: SpeakJob,
    speech: AsyncIterable<Float32Array>,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    if (signal.aborted) return;
    const base = await openBaseClip(job.base);
    // Ends what drinks from the speech when the clip's reader leaves.
    const leaving = new AbortController();
    const stop = AbortSignal.any([signal, leaving.signal]);
    try {
      const [toMouth, toSound] = [new Queue<Float32Array>(), new Queue<Float32Array>()];
      void pour(speech, [toMouth, toSound]);
      const { width, height } = base;
      const frames = giveWay(lipSync.frames(base, toMouth, job.rate, stop));
      yield* codec.mux(frames, toSound, { width, height, rate: job.rate }, job.file, signal);
    } finally {
      leaving.abort();
      await base[Symbol.asyncDispose]();
    }
  }

  async function* still(
    job: BaseClipJob,
    signal: AbortSignal,
  ): AsyncGenerator<number | BaseClipFacts, void, undefined> {
    if (signal.aborted) return;
    const [{ stillFrames }, { readPicture }] = await Promise.all([
      import('./base/still.ts'),
      import('./pictures/read-picture.ts'),
    ]);
    const picture = await readPicture(await readFile(job.pictureFile));
    const { frames, faces, count } = stillFrames(picture, job.face, job.loop, job.seconds);
    yield* progress<BaseClipFacts>(async (tell) => {
      await codec.encodeVideo(giveWay(frames), picture, job.file, (done) => tell(done / count), signal);
      await writeFile(facesFile(job.file), JSON.stringify(faces));
      return { faces: 'beside' };
    }, signal);
  }

  async function* importPicture(
    bytes: Uint8Array,
    crop: Crop | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<ImportedPicture, void, undefined> {
    if (signal.aborted) return;
    const avatars = await import('./avatars/import-picture.ts');
    yield await avatars.importPicture(bytes, crop, signal);
  }

  async function* tryOut(rate: number, signal: AbortSignal): AsyncGenerator<number, void, undefined> {
    const folder = await mkdtemp(join(tmpdir(), 'voice-chat-clip-'));
    try {
      const size = { width: PREPARED_SIZE, height: PREPARED_SIZE };
      const frames = given({ ...size, rgb: new Uint8Array(size.width * size.height * 3).fill(128) });
      const speech = given(new Float32Array(Math.round(rate / VIDEO_FPS)));
      let bytes = 0;
      for await (const piece of codec.mux(frames, speech, { ...size, rate }, join(folder, 'clip.mp4'), signal)) {
        bytes += piece.length;
      }
      yield bytes;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  const pictures = new PictureCache();
  return {
    encoder: codec.name,
    mime: codec.mime,
    speak,
    still,
    ...preparing(codec, lipSync, say),
    importPicture,
    tryOut,
    news: (_, signal) => abortable(news, signal),
    lend: (messages, signal) => serveLipSync(lipSync, pictures, messages, signal),
    [Symbol.asyncDispose]: async () => {
      await lipSync[Symbol.asyncDispose]();
      await codec[Symbol.asyncDispose]();
    },
  };
}

/** Gives everything to every queue, at once: the mouth and the sound go on at their own pace. */
async function pour<T>(source: AsyncIterable<T>, queues: readonly Queue<T>[]): Promise<void> {
  try {
    for await (const item of source) for (const queue of queues) queue.push(item);
    for (const queue of queues) queue.end();
  } catch (error) {
    for (const queue of queues) queue.fail(error);
  }
}

async function* given<T>(item: T): AsyncGenerator<T, void, undefined> {
  yield item;
}

/** Lets the process hear of cancels and pings between two frames, whatever made them. */
async function* giveWay<T>(items: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
  for await (const item of items) {
    yield item;
    await turn();
  }
}
