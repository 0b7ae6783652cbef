import { readFile } from 'node:fs/promises';
import { openBaseClip, PREPARED_SECONDS, PREPARED_SIZE, prepareBaseClip } from './base/prepared.ts';
import { type BaseClipFacts, type Face, type LipSync, type Picture, VIDEO_FPS, VideoError } from './contracts.ts';
import type { Codec } from './mux/codec.ts';
import type { News } from './news.ts';
import { progress } from './progress.ts';

/** The share of a clip's preparation that its decoding is, where the lip-sync has to prepare it as well. */
const DECODING = 0.2;

/** A lip-sync may compute for long on one frame, and nobody is to take that for a process that hangs. */
const SIGN_OF_LIFE_MS = 5_000;

/** Where the faces of a base clip lie that its maker has put beside it. */
export const facesFile = (clip: string): string => `${clip}.faces.json`;

/**
 * Makes base clips ready to be spoken over, as `VideoWorker` says it: decodes them, finds the face in each frame, and has the
 * lip-sync prepare them; `say` hears where only the last could not be done.
 */
export function preparing(codec: Pick<Codec, 'decodeVideo'>, lipSync: LipSync, say: (news: News) => void) {
  async function* prepare(
    file: string,
    folder: string,
    facts: BaseClipFacts,
    signal: AbortSignal,
  ): AsyncGenerator<number, void, undefined> {
    if (signal.aborted) return;
    const decoding = lipSync.prepare ? DECODING : 1;
    const work = async (tell: (done: number) => void) => {
      const beside = facts.faces === 'beside' ? await facesBeside(file) : undefined;
      const known = beside ? { ...facts, faces: beside } : facts;
      const frames = codec.decodeVideo(file, PREPARED_SIZE, signal);
      const most = PREPARED_SECONDS * VIDEO_FPS;
      await prepareBaseClip(frames, folder, known, findFaces, (done) => tell((decoding * done) / most), signal);
      await prepareLipSync(folder, (done) => tell(decoding + (1 - decoding) * done), signal);
      return 1;
    };
    yield* progress<number>(work, signal, SIGN_OF_LIFE_MS);
  }

  async function* makeReady(folder: string, signal: AbortSignal): AsyncGenerator<number, void, undefined> {
    if (signal.aborted || !lipSync.prepare) return;
    const work = async (tell: (done: number) => void) => {
      await prepareLipSync(folder, tell, signal);
      return 1;
    };
    yield* progress<number>(work, signal, SIGN_OF_LIFE_MS);
  }

  /** What fails here is tried again when somebody speaks; the clip is none the worse for it. */
  async function prepareLipSync(folder: string, tell: (done: number) => void, signal: AbortSignal): Promise<void> {
    if (!lipSync.prepare) return;
    try {
      await using base = await openBaseClip(folder);
      await lipSync.prepare(base, tell, signal);
    } catch (error) {
      signal.throwIfAborted();
      const { message } = error as Error;
      const sentence = error instanceof VideoError ? message : `A base clip could not be made ready: ${message}`;
      say({ level: 'warn', text: sentence });
    }
  }

  return { prepare, makeReady };
}

/** Faces that lie beside a clip; they are looked for anew if that file is lost. */
const facesBeside = async (file: string): Promise<readonly Face[] | undefined> => {
  const json = await readFile(facesFile(file), 'utf8').catch(() => undefined);
  return json === undefined ? undefined : (JSON.parse(json) as readonly Face[]);
};

/** Loaded when first needed: most processes find no faces. */
const findFaces = async (picture: Picture): Promise<readonly Face[]> =>
  (await import('./faces/find-faces.ts')).findFaces(picture);
