import { checkContent } from './check-content.ts';
import { digestOf } from './checksum.ts';
import { type HubCache, sizeOf } from './hub-cache.ts';
import type { ModelEntry } from './model-entry.ts';
import { ModelStoreError } from './model-store-error.ts';
import { candidates, findModel } from './store-find.ts';
import { type Part, partsByRepo } from './stored-model.ts';

/** What was found out about one file; `unchecked` is one that is there, but of which no checksum is known. */
export type FileCheck = {
  readonly path: string;
  readonly state: 'right' | 'missing' | 'wrong' | 'unchecked';
  /** What is wrong. */
  readonly why?: string;
};

/** Reads every file of a model and compares size, checksum and kind with what the manifest and the cache say; no network. */
export async function verifyModel(cache: HubCache, entry: ModelEntry, signal: AbortSignal): Promise<FileCheck[]> {
  const checks: FileCheck[] = [];
  for (const parts of partsByRepo(entry)) {
    const { repo, revision } = parts[0]!;
    const whole = await findModel(cache, { ...entry, files: parts.map(({ file }) => file) });
    const commit = whole?.commit ?? (await candidates(cache, repo, revision))[0];
    for (const part of parts) {
      checks.push({ path: part.file.path, ...(await verifyFile(cache, part, commit, signal)) });
    }
  }
  return checks;
}

async function verifyFile(
  cache: HubCache,
  { file, repo, revision }: Part,
  commit: string | undefined,
  signal: AbortSignal,
): Promise<Omit<FileCheck, 'path'>> {
  const pointer = commit === undefined ? undefined : cache.pointer(repo, commit, file.path);
  const size = pointer === undefined ? undefined : await sizeOf(pointer);
  if (pointer === undefined || size === undefined) return { state: 'missing' };
  const isPinned = commit === revision;
  if (isPinned && file.bytes !== undefined && size !== file.bytes) {
    return { state: 'wrong', why: `it has ${size} bytes, not ${file.bytes}` };
  }
  // A blob is named by its digest, so that even another commit's file can be checked.
  const digests = new Set([await cache.etagOf(pointer), isPinned ? file.sha256 : undefined]);
  digests.delete(undefined);
  for (const digest of digests) {
    if ((await digestOf(pointer, digest!, signal)) !== digest) return { state: 'wrong', why: 'its checksum is wrong' };
  }
  try {
    await checkContent(pointer, file.path, file);
  } catch (error) {
    if (!(error instanceof ModelStoreError)) throw error;
    return { state: 'wrong', why: error.message };
  }
  return { state: digests.size > 0 ? 'right' : 'unchecked' };
}
