import { randomUUID } from 'node:crypto';
import {
  copyFile,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { checkPath, checkRepo, checkRevision, isCommit, isDigest } from './check-names.ts';

/** Makes a symbolic link at `path`; rejects where the file system or the user's rights have none. */
export type MakeLink = (target: string, path: string) => Promise<void>;

/**
 * The folder that programs of the Hugging Face hub share, laid out as `huggingface_hub` writes and reads it
 * (https://huggingface.co/docs/hub/local-cache): per repository `blobs/<etag>`, `refs/<branch>` with a commit in it, and
 * `snapshots/<commit>/<path>`, relative links to the blobs.
 */
export class HubCache {
  readonly folder: string;
  readonly #makeLink: MakeLink;

  constructor(folder: string, makeLink: MakeLink = symlink) {
    this.folder = folder;
    this.#makeLink = makeLink;
  }

  repoFolder(repo: string): string {
    checkRepo(repo);
    return join(this.folder, `models--${repo.replaceAll('/', '--')}`);
  }

  /** Where bytes of this digest lie, or would. */
  blob(repo: string, etag: string): string {
    if (!isDigest(etag)) throw new Error(`${JSON.stringify(etag)} is not a digest.`);
    return join(this.repoFolder(repo), 'blobs', etag);
  }

  snapshot(repo: string, commit: string): string {
    checkRevision(commit);
    return join(this.repoFolder(repo), 'snapshots', commit);
  }

  /** Where a file of a commit lies, or would. */
  pointer(repo: string, commit: string, path: string): string {
    checkPath(path);
    return join(this.snapshot(repo, commit), path);
  }

  /** Beside the locks that Python holds with `flock`, under a name of our own. */
  lockFile(repo: string, etag: string): string {
    return join(this.folder, '.locks', basename(this.repoFolder(repo)), `${etag}.voice-chat`);
  }

  /** The commit that a branch or tag stood for when it was last fetched. */
  async commitOf(repo: string, revision: string): Promise<string | undefined> {
    if (isCommit(revision)) return revision;
    checkRevision(revision);
    const text = await readFile(join(this.repoFolder(repo), 'refs', revision), 'utf8').catch(() => '');
    return isCommit(text.trim()) ? text.trim() : undefined;
  }

  async setCommit(repo: string, revision: string, commit: string): Promise<void> {
    if (isCommit(revision)) return;
    checkRevision(revision);
    const file = join(this.repoFolder(repo), 'refs', revision);
    await mkdir(dirname(file), { recursive: true });
    await replace(file, (temporary) => writeFile(temporary, commit));
  }

  /** The commits of which some file is here, the newest folder first. */
  async commits(repo: string): Promise<string[]> {
    const folder = join(this.repoFolder(repo), 'snapshots');
    const names = (await readdir(folder).catch(() => [])).filter(isCommit);
    const dated = await Promise.all(
      names.map(async (name) => ({ name, at: (await stat(join(folder, name))).mtimeMs })),
    );
    return dated.sort((a, b) => b.at - a.at).map(({ name }) => name);
  }

  /** The digest that names the bytes of a file in a snapshot; undefined for one that is no link to a blob. */
  async etagOf(pointer: string): Promise<string | undefined> {
    const target = await readlink(pointer).catch(() => '');
    return isDigest(basename(target)) && basename(dirname(target)) === 'blobs' ? basename(target) : undefined;
  }

  /**
   * Lets a snapshot have the blob under a name: by a relative link, or where none can be made by its bytes (moved there if
   * the blob `isNew`, so that they are not kept twice, else copied).
   */
  async link(repo: string, commit: string, path: string, etag: string, isNew: boolean): Promise<void> {
    const pointer = this.pointer(repo, commit, path);
    const blob = this.blob(repo, etag);
    await mkdir(dirname(pointer), { recursive: true });
    // A scan by @huggingface/hub wants the folder, even empty.
    await mkdir(join(this.repoFolder(repo), 'refs'), { recursive: true });
    if ((await this.etagOf(pointer)) === etag) return;
    await replace(pointer, async (temporary) => {
      try {
        await this.#makeLink(relative(dirname(pointer), blob), temporary);
      } catch {
        await (isNew ? rename(blob, temporary) : copyFile(blob, temporary));
      }
    });
  }
}

/** Every file and link below a folder, as full paths; none if it does not exist. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const nested = await Promise.all(
    entries.map((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesBelow(path) : [path];
    }),
  );
  return nested.flat();
}

/** The size of the file, links followed; undefined if it is not there. */
export async function sizeOf(file: string): Promise<number | undefined> {
  const about = await stat(file).catch(() => undefined);
  return about?.isFile() ? about.size : undefined;
}

/** Renaming makes a file appear whole or not at all, whoever else looks. */
async function replace(file: string, make: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = `${file}.${randomUUID()}.tmp`;
  try {
    await make(temporary);
    await rename(temporary, file);
  } catch (error) {
    if (await lstat(temporary).catch(() => undefined)) await rm(temporary, { force: true });
    throw error;
  }
}
