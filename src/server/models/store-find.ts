import { join, posix } from 'node:path';
import { type HubCache, sizeOf } from './hub-cache.ts';
import type { ModelEntry } from './model-entry.ts';
import { type Part, partsByRepo, type StoredModel } from './stored-model.ts';

/** The model, if every file of it is on this disk; asks no network and looks at sizes only. */
export async function findModel<E extends ModelEntry>(cache: HubCache, entry: E): Promise<StoredModel<E> | undefined> {
  let bytes = 0;
  const commits: string[] = [];
  const files: Record<string, string> = {};
  for (const parts of partsByRepo(entry)) {
    const found = await findParts(cache, parts);
    if (!found) return undefined;
    commits.push(found.commit);
    bytes += found.bytes;
    for (const role of new Set(parts.map(({ file }) => file.role))) {
      const paths = parts.filter(({ file }) => file.role === role).map(({ file }) => file.path);
      const path = paths.length === 1 ? paths[0]! : commonFolder(paths);
      files[role] = join(cache.snapshot(parts[0]!.repo, found.commit), path);
    }
  }
  const commit = commits[0];
  if (commit === undefined) return undefined;
  return { entry, folder: cache.snapshot(entry.repo, commit), commit, files, bytes };
}

/** The commits to look in: the pinned one or what the branch stood for, then any that some program has fetched. */
export async function candidates(cache: HubCache, repo: string, revision: string): Promise<string[]> {
  const first = await cache.commitOf(repo, revision);
  const others = (await cache.commits(repo)).filter((commit) => commit !== first);
  return first === undefined ? others : [first, ...others];
}

async function findParts(
  cache: HubCache,
  parts: readonly Part[],
): Promise<{ commit: string; bytes: number } | undefined> {
  const { repo, revision } = parts[0]!;
  for (const commit of await candidates(cache, repo, revision)) {
    const sizes = await Promise.all(
      parts.map(async ({ file }) => {
        const size = await sizeOf(cache.pointer(repo, commit, file.path));
        // Another commit's file may well have another size.
        const isRight = commit !== revision || file.bytes === undefined || size === file.bytes;
        return isRight ? size : undefined;
      }),
    );
    if (sizes.every((size) => size !== undefined)) return { commit, bytes: sizes.reduce((sum, size) => sum + size, 0) };
  }
  return undefined;
}

/** The deepest folder that holds all of the paths; empty for the snapshot itself. */
function commonFolder(paths: readonly string[]): string {
  const folders = paths.map((path) => posix.dirname(path).split('/'));
  const first = folders[0]!;
  let depth = 0;
  while (depth < first.length && folders.every((folder) => folder[depth] === first[depth])) depth++;
  return first.slice(0, depth).join('/');
}
