import { checkSpace, freeBytes } from './disk-space.ts';
import { whyUnreachable } from './hub-api.ts';
import { HubCache, type MakeLink, sizeOf } from './hub-cache.ts';
import { HubConnection } from './hub-connection.ts';
import { FileChanged } from './hub-file.ts';
import type { ModelEntry } from './model-entry.ts';
import { ModelStoreError } from './model-store-error.ts';
import { type Pause, pauseByClock } from './retry.ts';
import { findModel } from './store-find.ts';
import { planPull } from './store-plan.ts';
import { type PullProgress, pullFiles } from './store-pull.ts';
import { removeModel } from './store-remove.ts';
import { type FileCheck, verifyModel } from './store-verify.ts';
import { partsByRepo, type StoredModel } from './stored-model.ts';

export type ModelStoreSettings = {
  /** The hub's cache, shared with other programs. */
  readonly folder: string;
  readonly hub: string;
  /** An access token for models that want one; empty for none. */
  readonly token: string;
  /** Never ask the network; what is on the disk is still found. */
  readonly offline: boolean;
  /** Is told, in one sentence, what the user may want to know. */
  readonly log?: (line: string) => void;
  /** Seams for tests and unusual machines; by default the real thing. */
  readonly fetch?: typeof fetch;
  readonly pause?: Pause;
  readonly stallMs?: number;
  readonly freeBytes?: (folder: string) => Promise<number>;
  readonly makeLink?: MakeLink;
};

/** A pause of so long is said, lest it look like a hang. */
const LONG_MS = 5_000;

/** Keeps models in the hub's cache: finds, fetches, checks and removes them. Throws `ModelStoreError` where the user must act. */
export class ModelStore {
  readonly #settings: ModelStoreSettings;
  readonly #cache: HubCache;
  readonly #hub: HubConnection;

  constructor(settings: ModelStoreSettings) {
    this.#settings = settings;
    this.#cache = new HubCache(settings.folder, settings.makeLink);
    const { log = () => {}, pause = pauseByClock } = settings;
    this.#hub = new HubConnection({
      ...settings,
      pause: async (ms, signal) => {
        if (ms >= LONG_MS) log(`${settings.hub} does not serve now; trying again in ${Math.round(ms / 1000)} s.`);
        await pause(ms, signal);
      },
    });
  }

  /** The model, if all its files are on this disk: at its own revision, else at any that some program has fetched. */
  async find<E extends ModelEntry>(entry: E): Promise<StoredModel<E> | undefined> {
    return findModel(this.#cache, entry);
  }

  /**
   * What would have to be fetched to have all of `entries`, a file that several share counted once. Where the manifest does
   * not know a size and the hub cannot be asked, the manifest's total stands in.
   */
  async missing(entries: readonly ModelEntry[], signal: AbortSignal): Promise<{ bytes: number; files: number }> {
    const absent = await this.#absent(entries);
    if (absent.length === 0) return { bytes: 0, files: 0 };
    const knowsAll = absent.every(({ files }) => files.every(({ bytes }) => bytes !== undefined));
    if (!knowsAll && !this.#settings.offline) {
      try {
        const { jobs } = await planPull(this.#cache, this.#hub, absent, signal);
        const open = jobs.filter(({ have, bytes }) => have < bytes);
        return { files: open.length, bytes: open.reduce((sum, { have, bytes }) => sum + bytes - have, 0) };
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof ModelStoreError)) throw error;
      }
    }
    return this.#estimate(absent);
  }

  /** Fetches what is missing of the models and answers all of them; `onProgress` is told of every change. */
  async pull(
    entries: readonly ModelEntry[],
    onProgress: (progress: PullProgress) => void,
    signal: AbortSignal,
  ): Promise<StoredModel[]> {
    const { folder, offline, log = () => {} } = this.#settings;
    const free = this.#settings.freeBytes ?? freeBytes;
    const absent = await this.#absent(entries);
    if (absent.length > 0 && offline) {
      throw new ModelStoreError(
        `${absent.map(({ id }) => id).join(', ')} cannot be fetched: models.offline is true in config.yml.`,
      );
    }
    for (let tries = 1; absent.length > 0; tries++) {
      const { jobs, refs } = await planPull(this.#cache, this.#hub, absent, signal);
      const needed = jobs.reduce((sum, { have, bytes }) => sum + bytes - have, 0);
      if (needed > 0) checkSpace(folder, needed, await free(folder));
      try {
        await pullFiles({ cache: this.#cache, hub: this.#hub, log, onProgress }, jobs, signal);
        for (const { repo, revision, commit } of refs) await this.#cache.setCommit(repo, revision, commit);
        break;
      } catch (error) {
        if (!(error instanceof FileChanged)) throw unwritable(error, folder) ?? error;
        // What was fetched of the old file has the old file's name, so nothing of it gets into the new one.
        if (tries === 3) throw new ModelStoreError(`${error.message} Try again later.`, { cause: error });
      }
    }
    const found = await Promise.all(entries.map((entry) => this.find(entry)));
    const lost = entries.find((_, i) => !found[i]);
    if (lost) throw new ModelStoreError(`${lost.id} was removed while it was fetched; pull it again.`);
    return found as StoredModel[];
  }

  /** Reads every file of a model and compares it with its checksum; asks no network. */
  async verify(entry: ModelEntry, signal: AbortSignal): Promise<FileCheck[]> {
    return verifyModel(this.#cache, entry, signal);
  }

  /** Deletes a model's files, but none that a model of `keep` has too; answers the bytes freed. */
  async remove(entry: ModelEntry, keep: readonly ModelEntry[] = []): Promise<number> {
    return removeModel(this.#cache, entry, keep);
  }

  /** Why the hub cannot be asked now, as a sentence; undefined when it can. Waits three seconds at most. */
  async reachable(signal: AbortSignal): Promise<string | undefined> {
    return this.#settings.offline ? 'models.offline is true in config.yml.' : whyUnreachable(this.#hub, signal);
  }

  async #absent(entries: readonly ModelEntry[]): Promise<ModelEntry[]> {
    const found = await Promise.all(entries.map((entry) => this.find(entry)));
    return entries.filter((_, i) => !found[i]);
  }

  async #estimate(entries: readonly ModelEntry[]): Promise<{ bytes: number; files: number }> {
    const files = new Map<string, number>();
    for (const entry of entries) {
      const unknown = entry.files.filter(({ bytes }) => bytes === undefined).length;
      const known = entry.files.reduce((sum, { bytes = 0 }) => sum + bytes, 0);
      const share = Math.max(0, entry.totalBytes - known) / Math.max(1, unknown);
      for (const { file, repo, revision } of partsByRepo(entry).flat()) {
        const commit = (await this.#cache.commitOf(repo, revision)) ?? revision;
        const here = await sizeOf(this.#cache.pointer(repo, commit, file.path));
        const bytes = file.bytes ?? share;
        const blob = file.sha256 === undefined ? undefined : this.#cache.blob(repo, file.sha256);
        const partial = blob === undefined ? 0 : ((await sizeOf(blob)) ?? (await sizeOf(`${blob}.incomplete`)) ?? 0);
        if (here === undefined || (file.bytes !== undefined && here !== file.bytes)) {
          files.set(`${repo}@${revision}/${file.path}`, Math.max(0, bytes - partial));
        }
      }
    }
    return { files: files.size, bytes: Math.round([...files.values()].reduce((sum, bytes) => sum + bytes, 0)) };
  }
}

/** The sentence for a cache folder that does not take files; undefined for any other error. */
function unwritable(error: unknown, folder: string): ModelStoreError | undefined {
  const { syscall, message } = error as NodeJS.ErrnoException;
  // By the call, not by the code: of a disk that is mounted for reading only, Node's recursive mkdir says ENOENT.
  if (syscall === undefined) return undefined;
  const fix = 'Give this user the right to write there, or set models.folder in config.yml to another folder.';
  return new ModelStoreError(`${folder} cannot be written (${message}). ${fix}`, { cause: error });
}
