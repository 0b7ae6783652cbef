import { readdir, readFile, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { filesBelow, type HubCache } from './hub-cache.ts';
import type { ModelEntry } from './model-entry.ts';
import { partsByRepo } from './stored-model.ts';

/**
 * Deletes a model's files in every commit that is here, then the blobs that no snapshot names any more and the folders that
 * are empty. Files that a model of `keep` has too stay, and so does what other programs fetched. Answers the bytes freed.
 */
export async function removeModel(cache: HubCache, entry: ModelEntry, keep: readonly ModelEntry[]): Promise<number> {
  const kept = new Set(
    keep.flatMap(partsByRepo).flatMap((parts) => parts.map(({ file, repo }) => `${repo}/${file.path}`)),
  );
  let freed = 0;
  for (const parts of partsByRepo(entry)) {
    const { repo } = parts[0]!;
    const folder = cache.repoFolder(repo);
    const going = parts.filter(({ file }) => !kept.has(`${repo}/${file.path}`)).map(({ file }) => file);
    const unlinked = new Set(going.flatMap(({ sha256 }) => sha256 ?? []));
    for (const commit of await cache.commits(repo)) {
      for (const { path } of going) {
        const pointer = cache.pointer(repo, commit, path);
        const etag = await cache.etagOf(pointer);
        if (etag === undefined) freed += await remove(pointer);
        else {
          unlinked.add(etag);
          await rm(pointer, { force: true });
        }
        await removeEmpty(dirname(pointer), cache.snapshot(repo, commit));
      }
    }
    freed += await removeBlobs(cache, repo, unlinked);
    await forgetCommits(cache, repo);
    const locks = await filesBelow(dirname(cache.lockFile(repo, '')));
    // Halves of files that were never finished are all that is left, unless somebody is finishing them right now.
    if ((await cache.commits(repo)).length === 0 && !locks.some((lock) => lock.endsWith('.voice-chat'))) {
      for (const file of await filesBelow(join(folder, 'blobs'))) freed += await remove(file);
      await rm(folder, { recursive: true, force: true });
    }
  }
  return freed;
}

async function removeBlobs(cache: HubCache, repo: string, etags: ReadonlySet<string>): Promise<number> {
  const pointers = await filesBelow(join(cache.repoFolder(repo), 'snapshots'));
  const used = new Set(await Promise.all(pointers.map((pointer) => cache.etagOf(pointer))));
  let freed = 0;
  for (const etag of etags) {
    if (used.has(etag)) continue;
    const blob = cache.blob(repo, etag);
    freed += (await remove(blob)) + (await remove(`${blob}.incomplete`));
  }
  return freed;
}

/** Other programs hold a branch that names a commit without a snapshot for damage. */
async function forgetCommits(cache: HubCache, repo: string): Promise<void> {
  const commits = await cache.commits(repo);
  for (const ref of await filesBelow(join(cache.repoFolder(repo), 'refs'))) {
    if (!commits.includes((await readFile(ref, 'utf8')).trim())) await rm(ref, { force: true });
  }
}

/** Deletes a file; answers its size, 0 if there is none. */
async function remove(file: string): Promise<number> {
  const about = await stat(file).catch(() => undefined);
  await rm(file, { force: true });
  return about?.size ?? 0;
}

/** Deletes a folder and those above it, up to and with `last`, as far as they are empty. */
async function removeEmpty(folder: string, last: string): Promise<void> {
  for (let at = folder; at.startsWith(last); at = dirname(at)) {
    const names = await readdir(at).catch(() => undefined);
    if (names !== undefined && names.length > 0) return;
    if (names) await rmdir(at);
  }
}
