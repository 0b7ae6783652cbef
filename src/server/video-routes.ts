import { avatarRoutes } from './avatar-routes.ts';
import { answerFile, answerGrowing, type Route } from './file-answer.ts';
import type { AvatarStore } from './video/avatars/avatar-store.ts';
import type { ClipStore } from './video/clip-store.ts';
import { VideoError, type VideoWorker } from './video/contracts.ts';
import type { LoopLibrary } from './video/loop-library.ts';

/** What the addresses of the video tier lead to. */
export type VideoParts = {
  readonly store: AvatarStore;
  readonly clips: ClipStore;
  readonly library: LoopLibrary;
  /** Reads uploaded pictures. */
  readonly worker: Pick<VideoWorker, 'importPicture'>;
};

const OWN = /^\/(?:api\/avatars?|avatars|clips)(?:\/|$)/;
const CLIP = /^\/clips\/([\w-]{1,64})\.mp4$/;
const SAVE_AS = 'voice-chat-reply.mp4';

/** The addresses of avatars, base clips and clips; nothing but 503 until `open` was called, with the reason after `fail`. */
export class VideoRoutes {
  #routes: readonly Route[] | undefined;
  #problem: string | undefined;

  /** Answers a request if its address is one of the video tier's. */
  readonly route: Route = async (request, response, url) => {
    if (!OWN.test(url.pathname)) return false;
    if (!this.#routes) {
      response.setHeader('Content-Type', 'text/plain');
      if (this.#problem === undefined) response.setHeader('Retry-After', '1');
      response.writeHead(503).end(this.#problem ?? 'The video tier is still starting.');
      return true;
    }
    for (const route of this.#routes) if (await route(request, response, url)) return true;
    return false;
  };

  /** They will lead nowhere; what leads somewhere already stays. */
  fail(problem: string): void {
    this.#problem = problem;
  }

  /** From now on they lead somewhere. */
  open({ store, clips, library, worker }: VideoParts): void {
    const avatars = avatarRoutes({
      store,
      view: () => library.view,
      show: (avatar) => library.choose(avatar),
      async importPicture(bytes, crop, signal) {
        for await (const imported of worker.importPicture(bytes, crop, signal)) return imported;
        signal.throwIfAborted();
        throw new VideoError('The picture was not read; try it again.');
      },
    });
    this.#routes = [clipRoute(clips), loopRoute(library), avatars];
  }
}

const clipRoute =
  (clips: ClipStore): Route =>
  async (request, response, url) => {
    const clip = clips.open(CLIP.exec(url.pathname)?.[1] ?? '');
    if (!clip) return false;
    const saveAs = url.searchParams.has('download') ? { saveAs: SAVE_AS } : {};
    if (clip.state === 'whole') {
      return answerFile(request, response, { file: clip.file, type: 'video/mp4', immutable: true, ...saveAs });
    }
    await answerGrowing(request, response, { type: 'video/mp4', ...saveAs }, clip.bytes);
    return true;
  };

const loopRoute =
  (library: LoopLibrary): Route =>
  async (request, response, url) => {
    const file = library.fileOf(url.pathname);
    return file !== undefined && answerFile(request, response, { file, type: 'video/mp4', immutable: true });
  };
