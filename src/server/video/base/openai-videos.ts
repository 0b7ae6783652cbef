import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readFile, rename, rm, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { detailOf } from '../../other-servers/detail-of.ts';
import { type BaseClipFacts, type BaseClipJob, type BaseClipMaker, VideoError } from '../contracts.ts';
import { FIELD_SETS, type FieldSet, type VideoWish, videoForm } from './openai-videos/video-fields.ts';
import { askVideos, refusalOf, type VideoServer } from './openai-videos/video-server.ts';

/** The settings of `video.baseClips` with `engine: openai-videos`. */
export type OpenAiVideosSettings = VideoServer & {
  /** Empty for the server's own. */
  readonly model: string;
};

/** How patient it is; for tests. */
export type OpenAiVideosOptions = {
  /** How often the server is asked, in milliseconds; 1,000 if not given. */
  readonly pollMs?: number;
  /** After so long without news a video counts as lost, in milliseconds; half an hour if not given. */
  readonly patienceMs?: number;
};

type Said = { id?: unknown; status?: unknown; progress?: unknown; error?: unknown };

/**
 * Videos by any server with `/v1/videos` (vLLM-Omni, SGLang and others). They know no last frame, so the clips do not lead back
 * to their beginning.
 */
export function createOpenAiVideos(settings: OpenAiVideosSettings, options: OpenAiVideosOptions = {}): BaseClipMaker {
  return new OpenAiVideos(settings, options);
}

class OpenAiVideos implements BaseClipMaker {
  readonly version: string;
  readonly heavy: boolean;
  readonly #settings: OpenAiVideosSettings;
  readonly #pollMs: number;
  readonly #patienceMs: number;
  readonly #closed = new AbortController();
  /** What this server takes; found out by the first video. */
  #fields: FieldSet = FIELD_SETS[0];
  #dropping: Promise<unknown> = Promise.resolve();

  constructor(settings: OpenAiVideosSettings, { pollMs = 1_000, patienceMs = 1_800_000 }: OpenAiVideosOptions) {
    const { baseUrl, model } = settings;
    this.#settings = settings;
    this.#pollMs = pollMs;
    this.#patienceMs = patienceMs;
    this.version = `openai-videos-${createHash('sha256')
      .update(JSON.stringify([baseUrl, model]))
      .digest('hex')
      .slice(0, 16)}`;
    // On this machine it shares the card with the voice.
    this.heavy = /^https?:\/\/(localhost|127\.|\[::1\])/i.test(baseUrl);
  }

  async make(job: BaseClipJob, onProgress: (done: number) => void, signal: AbortSignal): Promise<BaseClipFacts> {
    const either = AbortSignal.any([signal, this.#closed.signal]);
    either.throwIfAborted();
    const picture = new Uint8Array(await readFile(job.pictureFile));
    const seed = createHash('sha256').update(picture).update(`${job.loop}\0${job.prompt}`).digest().readUInt32LE(0);
    const { prompt, negativePrompt, seconds } = job;
    const { model } = this.#settings;
    const wish = { model, prompt, negativePrompt, picture, seconds, seed: seed % 2 ** 31 };
    let id: string | undefined;
    try {
      id = await this.#create(wish, either);
      await this.#finished(id, wish, onProgress, either);
      await this.#fetch(id, job.file, either);
      onProgress(1);
      return { closes: false };
    } catch (error) {
      either.throwIfAborted();
      throw error;
    } finally {
      // Of a running one this is the only way to say that nobody wants it; of a finished one it frees the server's disk.
      if (id !== undefined) this.#drop(id);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(new VideoError('voice-chat is being shut down.'));
    await this.#dropping;
  }

  /** Asks with all fields first, and with fewer when the server refuses what it does not know. */
  async #create(wish: VideoWish, signal: AbortSignal): Promise<string> {
    const secrets = [wish.prompt, wish.negativePrompt];
    for (const fields of FIELD_SETS.slice(FIELD_SETS.indexOf(this.#fields))) {
      const response = await askVideos(this.#settings, 'POST', '/videos', videoForm(wish, fields), signal);
      const mayTakeLess = (response.status === 400 || response.status === 422) && fields !== FIELD_SETS.at(-1);
      if (mayTakeLess) {
        await response.body?.cancel();
        continue;
      }
      if (!response.ok) throw await refusalOf(this.#settings, response, secrets);
      const { id } = await this.#said(response);
      if (typeof id !== 'string' || id === '') throw this.#strange();
      this.#fields = fields;
      return id;
    }
    throw this.#strange();
  }

  async #finished(id: string, wish: VideoWish, onProgress: (done: number) => void, signal: AbortSignal): Promise<void> {
    const path = `/videos/${encodeURIComponent(id)}`;
    const secrets = [wish.prompt, wish.negativePrompt];
    let news = '';
    let since = performance.now();
    let best = 0;
    for (;;) {
      const response = await askVideos(this.#settings, 'GET', path, undefined, signal);
      if (!response.ok) throw await refusalOf(this.#settings, response, secrets);
      const said = await this.#said(response);
      const status = String(said.status);
      if (/^(completed|succeeded)$/.test(status)) return;
      if (/^(failed|cancelled|canceled|expired)$/.test(status)) {
        const why = detailOf(JSON.stringify({ error: said.error }), secrets);
        throw new VideoError(`${this.#at} could not make the video (${status})${why}. Its log may say more.`);
      }
      // Some servers know no progress, and say 0 until the end.
      const done = typeof said.progress === 'number' ? Math.min(0.99, Math.max(0, said.progress / 100)) : 0;
      if (done > best) onProgress((best = done));
      if (`${status} ${done}` !== news) {
        news = `${status} ${done}`;
        since = performance.now();
      } else if (performance.now() - since > this.#patienceMs) {
        throw new VideoError(`${this.#at} had no news of the video for too long (${status}). Look at its log.`);
      }
      await sleep(this.#pollMs, undefined, { signal });
    }
  }

  async #fetch(id: string, file: string, signal: AbortSignal): Promise<void> {
    const path = `/videos/${encodeURIComponent(id)}/content`;
    const response = await askVideos(this.#settings, 'GET', path, undefined, signal);
    if (!response.ok || !response.body) throw await refusalOf(this.#settings, response, []);
    const partial = `${file}.${randomUUID()}.part`;
    try {
      await pipeline(Readable.fromWeb(response.body as never), createWriteStream(partial), { signal });
      if ((await stat(partial)).size === 0)
        throw new VideoError(`${this.#at} gave an empty video. Its log may say why.`);
      await rename(partial, file);
    } catch (error) {
      await rm(partial, { force: true });
      if (signal.aborted || error instanceof VideoError) throw error;
      throw new VideoError(`The video of ${this.#settings.baseUrl} could not be kept (${(error as Error).message}).`, {
        cause: error,
      });
    }
  }

  /** Not waited for: whoever cancels goes on at once. Servers that are about to stop it say 409 and want to be asked again. */
  #drop(id: string): void {
    const ask = async () => {
      for (let tries = 0; tries < 3; tries++) {
        const limit = AbortSignal.timeout(5_000);
        const response = await askVideos(
          this.#settings,
          'DELETE',
          `/videos/${encodeURIComponent(id)}`,
          undefined,
          limit,
        );
        await response.body?.cancel();
        if (response.status !== 409) return;
        await sleep(this.#pollMs);
      }
    };
    this.#dropping = Promise.all([this.#dropping, ask().catch(() => {})]);
  }

  async #said(response: Response): Promise<Said> {
    const said: unknown = await response.json().catch(() => undefined);
    if (typeof said !== 'object' || said === null) throw this.#strange();
    return said;
  }

  #strange(): VideoError {
    return new VideoError(`${this.#at} answers otherwise than /v1/videos does. Correct video.baseClips.baseUrl.`);
  }

  get #at(): string {
    return `The video server at ${this.#settings.baseUrl}`;
  }
}
