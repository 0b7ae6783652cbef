import { checkKind, isCommit } from './check-names.ts';
import { commitOf, describeFiles, type RemoteFile } from './hub-api.ts';
import { type HubCache, sizeOf } from './hub-cache.ts';
import type { HubConnection } from './hub-connection.ts';
import type { ModelEntry } from './model-entry.ts';
import { ModelNotOffered } from './model-store-error.ts';
import { type Part, partsByRepo } from './stored-model.ts';

/** A file to be had: what the hub says of it, what the manifest says of its bytes, and what of it is here. */
export type Job = RemoteFile & {
  /** The model that wants it. */
  readonly id: string;
  readonly sha256: string | undefined;
  readonly restricted: boolean | undefined;
  /** Bytes of it on this disk; all of them if it only lacks its name in the snapshot, or nothing at all. */
  readonly have: number;
};

export type PullPlan = {
  readonly jobs: readonly Job[];
  /** Branches and tags, and the commits they stand for. */
  readonly refs: readonly { readonly repo: string; readonly revision: string; readonly commit: string }[];
};

/** Asks the hub about every file of the models; throws where it contradicts the manifest. */
export async function planPull(
  cache: HubCache,
  hub: HubConnection,
  entries: readonly ModelEntry[],
  signal: AbortSignal,
): Promise<PullPlan> {
  const jobs: Job[] = [];
  const refs: { repo: string; revision: string; commit: string }[] = [];
  for (const { id, parts } of wanted(entries)) {
    const { repo, revision } = parts[0]!;
    for (const { file } of parts) checkKind(file.path, file);
    const commit = await commitOf(hub, repo, revision, signal);
    if (!isCommit(revision)) refs.push({ repo, revision, commit });
    const paths = parts.map(({ file }) => file.path);
    const remote = await describeFiles(hub, repo, commit, paths, signal);
    for (const [i, about] of remote.entries()) {
      const { sha256, bytes, restricted } = parts[i]!.file;
      const differs =
        (sha256 !== undefined && about.etag.length === 64 && sha256 !== about.etag) ||
        (bytes !== undefined && isCommit(revision) && bytes !== about.bytes);
      if (differs) {
        throw otherThanNamed(hub, about);
      }
      jobs.push({ ...about, id, sha256, restricted, have: await bytesHere(cache, about) });
    }
  }
  return { jobs, refs };
}

/** The error for bytes that the hub has and the manifest does not name. */
export function otherThanNamed(hub: HubConnection, { repo, path }: RemoteFile): ModelNotOffered {
  return new ModelNotOffered(
    `${hub.url} offers other bytes for ${repo}/${path} than the manifest of voice-chat names; they are not taken. Update voice-chat, or set models.hub in config.yml to a hub you trust.`,
  );
}

/** How a whole file lies here: as a blob, or as a copy in the snapshot where links cannot be made. */
export async function wholeHere(
  cache: HubCache,
  { repo, commit, path, etag, bytes }: RemoteFile,
): Promise<'blob' | 'copy' | undefined> {
  if ((await sizeOf(cache.blob(repo, etag))) === bytes) return 'blob';
  const pointer = cache.pointer(repo, commit, path);
  return (await sizeOf(pointer)) === bytes && (await cache.etagOf(pointer)) === undefined ? 'copy' : undefined;
}

async function bytesHere(cache: HubCache, file: RemoteFile): Promise<number> {
  if (await wholeHere(cache, file)) return file.bytes;
  const partial = (await sizeOf(`${cache.blob(file.repo, file.etag)}.incomplete`)) ?? 0;
  return partial > file.bytes ? 0 : partial;
}

/** The parts of all models, each file once though several models share it. */
function wanted(entries: readonly ModelEntry[]): { id: string; parts: Part[] }[] {
  const seen = new Set<string>();
  const groups: { id: string; parts: Part[] }[] = [];
  for (const entry of entries) {
    for (const parts of partsByRepo(entry)) {
      const fresh = parts.filter(({ file, repo, revision }) => {
        const key = `${repo}@${revision}/${file.path}`;
        return !seen.has(key) && seen.add(key);
      });
      if (fresh.length > 0) groups.push({ id: entry.id, parts: fresh });
    }
  }
  return groups;
}
