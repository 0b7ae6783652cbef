import { createHash, randomBytes } from 'node:crypto';
import { access, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PREPARED_VERSION } from '../base/prepared.ts';
import type { BaseClipFacts, BaseClipJob } from '../contracts.ts';
import { nameOfOwn, removeOrphans } from '../own-folder.ts';

const PREPARED = `prepared-${PREPARED_VERSION}`;

/** The base clips of one avatar on the disk: `<folder>/<key>/{clip.mp4,facts.json,prepared-<version>/}`, each whole or not there. */
export class LoopShelf {
  readonly #folder: string;
  /** Key → whether it is prepared. */
  #loops = new Map<string, boolean>();
  /** What is being made at this moment. */
  readonly #unfinished = new Set<string>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Looks at what there is, and removes what was left unfinished, is damaged, or was decoded by another version. */
  async look(): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    await removeOrphans(this.#folder, this.#unfinished);
    const found = new Map<string, boolean>();
    for (const key of await readdir(this.#folder)) {
      if (this.#unfinished.has(key)) continue;
      const folder = join(this.#folder, key);
      await removeOrphans(folder);
      for (const name of await readdir(folder).catch(() => [])) {
        if (name.startsWith('prepared-') && name !== PREPARED) await rm(join(folder, name), { recursive: true });
      }
      const prepared = await exists(this.preparedOf(key));
      const hasClip = await exists(this.fileOf(key));
      if (hasClip && !(await this.#isKnown(key))) await this.remove(key);
      else if (prepared || hasClip) found.set(key, prepared);
    }
    this.#loops = found;
  }

  /** A machine that loses its power can leave a clip without what is known of it. */
  async #isKnown(key: string): Promise<boolean> {
    return this.factsOf(key).then(
      () => true,
      () => false,
    );
  }

  /** Keys of what is there. */
  get keys(): readonly string[] {
    return [...this.#loops.keys()];
  }

  has(key: string): boolean {
    return this.#loops.has(key);
  }

  isPrepared(key: string): boolean {
    return this.#loops.get(key) === true;
  }

  /** The MP4 file of a clip. */
  fileOf(key: string): string {
    return join(this.#folder, key, 'clip.mp4');
  }

  /** The folder of its prepared form; tell `prepared` when it is written. */
  preparedOf(key: string): string {
    return join(this.#folder, key, PREPARED);
  }

  /** Puts a clip under `key` once `make` has written the file that it is given; false if `make` gives undefined instead. */
  async add(key: string, make: (file: string) => Promise<BaseClipFacts | undefined>): Promise<boolean> {
    const name = nameOfOwn();
    const making = join(this.#folder, name);
    this.#unfinished.add(name);
    try {
      await mkdir(making, { recursive: true });
      const facts = await make(join(making, 'clip.mp4'));
      if (!facts) return false;
      await writeFile(join(making, 'facts.json'), JSON.stringify(facts));
      // Another server of this folder may have been first, and be decoding it by now: the same key is the same clip.
      const isThere = (await exists(this.fileOf(key))) && (await this.#isKnown(key));
      if (!isThere) {
        await rm(join(this.#folder, key), { recursive: true, force: true });
        await rename(making, join(this.#folder, key));
      }
      this.#loops.set(key, isThere && (await exists(this.preparedOf(key))));
      return true;
    } finally {
      await rm(making, { recursive: true, force: true });
      this.#unfinished.delete(name);
    }
  }

  /** What the maker knew of a clip. */
  async factsOf(key: string): Promise<BaseClipFacts> {
    return JSON.parse(await readFile(join(this.#folder, key, 'facts.json'), 'utf8')) as BaseClipFacts;
  }

  prepared(key: string): void {
    this.#loops.set(key, true);
  }

  /** Removes the prepared form; it can be made again of the clip. */
  async unprepare(key: string): Promise<void> {
    if (this.#loops.has(key)) this.#loops.set(key, false);
    await rm(this.preparedOf(key), { recursive: true, force: true });
  }

  async remove(key: string): Promise<void> {
    this.#loops.delete(key);
    await rm(join(this.#folder, key), { recursive: true, force: true });
  }

  /** Those of `keys` that are there, the newest first. */
  async newestFirst(keys: readonly string[]): Promise<readonly string[]> {
    const ages = await Promise.all(
      keys.map(async (key) => ({ key, madeMs: (await stat(join(this.#folder, key)).catch(() => undefined))?.mtimeMs })),
    );
    return ages
      .filter(({ madeMs }) => madeMs !== undefined)
      .sort((a, b) => b.madeMs! - a.madeMs!)
      .map(({ key }) => key);
  }
}

/** Names a clip by all that decides how it looks, so that it is made once. */
export function loopKey(
  avatar: string,
  maker: string,
  job: Omit<BaseClipJob, 'pictureFile' | 'face' | 'file'>,
): string {
  const { loop, prompt, negativePrompt, seconds } = job;
  const all = JSON.stringify([avatar, maker, loop, prompt, negativePrompt, seconds]);
  return createHash('sha256').update(all).digest('hex').slice(0, 24);
}

const REPLY = 'reply-';

/** A key for a clip that is made for one reply. */
export const replyKey = (): string => `${REPLY}${randomBytes(8).toString('hex')}`;

/** Whether a key is one of `replyKey`. */
export const isReplyKey = (key: string): boolean => key.startsWith(REPLY);

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
