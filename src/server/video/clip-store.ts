import { randomBytes } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { VideoError } from './contracts.ts';
import { ownFolder, removeOrphans } from './own-folder.ts';

/** More than any clip of the longest speech that is taken; a worker that sends more is at fault. */
const MAX_CLIP_BYTES = 64 * 1024 * 1024;

/** A clip that can be fetched: its whole file, or while it is made its bytes, from the first one on until it is complete. */
export type StoredClip =
  | { readonly state: 'whole'; readonly file: string; readonly bytes: number }
  | { readonly state: 'growing'; bytes(signal: AbortSignal): AsyncIterable<Uint8Array> };

type Clip = {
  state: 'growing' | 'dropped' | { readonly bytes: number };
  readonly file: string;
  readonly pieces: Uint8Array[];
  readonly followers: Set<() => void>;
};

/** A clip while it is made. */
export interface NewClip {
  /** Random and unguessable: who knows it may see the clip. */
  readonly id: string;
  /** Where the whole file is to be written. */
  readonly file: string;
  /** The next piece of the stream; not copied. */
  write(bytes: Uint8Array): void;
  /** The stream is complete and the whole file is there; rejects with a `VideoError` when it is not. */
  finish(): Promise<void>;
  /** It will not be complete; its file is removed. May be called again, should the file have been written since. */
  drop(): Promise<void>;
}

/** The clips of replies, growing and finished; the newest are kept as long as the server runs, and none longer. */
export class ClipStore implements AsyncDisposable {
  readonly #folder: string;
  readonly #keep: number;
  readonly #clips = new Map<string, Clip>();

  private constructor(folder: string, keep: number) {
    this.#folder = folder;
    this.#keep = keep;
  }

  /** Keeps clips in a private folder below `folder`/clips, where it removes those of servers that have ended. */
  static async open(folder: string, keep: number): Promise<ClipStore> {
    const clips = join(folder, 'clips');
    await removeOrphans(clips);
    return new ClipStore(await ownFolder(clips), keep);
  }

  /** A new clip, growing from now on. */
  begin(): NewClip {
    const id = randomBytes(16).toString('base64url');
    const file = join(this.#folder, `${id}.mp4`);
    const clip: Clip = { state: 'growing', file, pieces: [], followers: new Set() };
    this.#clips.set(id, clip);
    let size = 0;
    return {
      id,
      file,
      write: (bytes) => {
        size += bytes.length;
        if (size > MAX_CLIP_BYTES) {
          throw new VideoError(`A clip grew beyond ${MAX_CLIP_BYTES >> 20} MiB; choose another encoder in config.yml.`);
        }
        if (clip.state === 'growing') clip.pieces.push(bytes);
        wake(clip);
      },
      finish: async () => {
        const found = await stat(file).catch(() => undefined);
        if (!found?.size) throw new VideoError('The video worker wrote no whole clip; look at its lines in the log.');
        if (clip.state !== 'growing') return;
        clip.state = { bytes: found.size };
        // To the end, so that the one that was finished longest ago leads.
        this.#clips.delete(id);
        this.#clips.set(id, clip);
        wake(clip);
        await this.#removeOld();
      },
      drop: async () => {
        if (clip.state === 'growing') clip.state = 'dropped';
        if (clip.state !== 'dropped') return;
        this.#clips.delete(id);
        wake(clip);
        await this.#removeOthers();
      },
    };
  }

  /** The clip `id`, if it is there. */
  open(id: string): StoredClip | undefined {
    const clip = this.#clips.get(id);
    if (!clip || clip.state === 'dropped') return undefined;
    if (clip.state === 'growing') return { state: 'growing', bytes: (signal) => follow(clip, signal) };
    return { state: 'whole', file: clip.file, bytes: clip.state.bytes };
  }

  /** Removes every clip. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const clip of this.#clips.values()) {
      if (clip.state === 'growing') clip.state = 'dropped';
      wake(clip);
    }
    this.#clips.clear();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #removeOld(): Promise<void> {
    const finished = [...this.#clips].filter(([, { state }]) => typeof state === 'object');
    for (const [id] of finished.slice(0, Math.max(0, finished.length - this.#keep))) this.#clips.delete(id);
    await this.#removeOthers();
  }

  /** Removes what is of no clip any more: also what a worker had begun when it was killed, maybe long after its clip was dropped. */
  async #removeOthers(): Promise<void> {
    for (const name of await readdir(this.#folder).catch(() => [])) {
      if (!this.#clips.has(name.split('.')[0]!)) await rm(join(this.#folder, name), { force: true });
    }
  }
}

const wake = ({ followers }: Clip) => {
  for (const go of followers) go();
};

async function* follow(clip: Clip, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
  let next = 0;
  while (!signal.aborted) {
    if (next < clip.pieces.length) {
      yield clip.pieces[next++]!;
    } else if (clip.state === 'dropped') {
      throw new VideoError('This clip was cut before it was complete.');
    } else if (clip.state !== 'growing') {
      return;
    } else {
      await new Promise<void>((resolve) => {
        const go = () => {
          clip.followers.delete(go);
          signal.removeEventListener('abort', go);
          resolve();
        };
        clip.followers.add(go);
        signal.addEventListener('abort', go, { once: true });
      });
    }
  }
}
