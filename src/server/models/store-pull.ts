import { rename, rm } from 'node:fs/promises';
import { holdLock } from './blob-lock.ts';
import { checkContent } from './check-content.ts';
import { digestOf } from './checksum.ts';
import { download } from './download.ts';
import type { HubCache } from './hub-cache.ts';
import type { HubConnection } from './hub-connection.ts';
import { FileChanged } from './hub-file.ts';
import { ModelNotOffered } from './model-store-error.ts';
import { type Job, otherThanNamed, wholeHere } from './store-plan.ts';

/** One file of a download; `bytes` grows to `totalBytes`. */
export type FileProgress = {
  /** Of the model that wants it. */
  readonly id: string;
  readonly path: string;
  bytes: number;
  readonly totalBytes: number;
  state: 'waiting' | 'fetching' | 'checking' | 'done';
};

/** A download as it stands; the same object is handed over at every change. */
export type PullProgress = { bytes: number; readonly totalBytes: number; readonly files: readonly FileProgress[] };

const AT_ONCE = 4;

type Context = {
  readonly cache: HubCache;
  readonly hub: HubConnection;
  readonly log: (line: string) => void;
  readonly onProgress: (progress: PullProgress) => void;
};

/** Fetches files, four at once, checks them and puts them into the cache. The first failure ends the others, whose parts stay. */
export async function pullFiles(context: Context, jobs: readonly Job[], signal: AbortSignal): Promise<void> {
  const files = jobs.map(
    ({ id, path, have, bytes }): FileProgress => ({ id, path, bytes: have, totalBytes: bytes, state: 'waiting' }),
  );
  const sum = (of: 'bytes' | 'totalBytes') => files.reduce((total, file) => total + file[of], 0);
  const progress: PullProgress = { bytes: sum('bytes'), totalBytes: sum('totalBytes'), files };
  const failure = new AbortController();
  const either = AbortSignal.any([signal, failure.signal]);
  const queue = jobs.entries();
  const worker = async () => {
    for (const [i, job] of queue) {
      const file = files[i]!;
      const report = (bytes: number, state: FileProgress['state']) => {
        progress.bytes += bytes - file.bytes;
        file.bytes = bytes;
        file.state = state;
        context.onProgress(progress);
      };
      try {
        either.throwIfAborted();
        await pullFile(context, job, report, either);
      } catch (error) {
        failure.abort(error);
        throw error;
      }
    }
  };
  await Promise.allSettled(Array.from({ length: Math.min(AT_ONCE, jobs.length) }, worker));
  signal.throwIfAborted();
  failure.signal.throwIfAborted();
}

async function pullFile(
  { cache, hub, log }: Context,
  job: Job,
  report: (bytes: number, state: FileProgress['state']) => void,
  signal: AbortSignal,
): Promise<void> {
  const { repo, commit, path, etag } = job;
  const blob = cache.blob(repo, etag);
  const partial = `${blob}.incomplete`;
  let isSaid = false;
  const onWait = () => {
    if (!isSaid) log(`Another download of ${repo}/${path} is going on; waiting for it.`);
    isSaid = true;
  };
  const release = await holdLock(cache.lockFile(repo, etag), onWait, signal);
  try {
    const here = await wholeHere(cache, job);
    if (!here) {
      await fetchRight(hub, job, partial, report, signal);
      await rename(partial, blob);
    }
    if (here !== 'copy') await cache.link(repo, commit, path, etag, !here);
    report(job.bytes, 'done');
  } catch (error) {
    // Nobody will ask for the old bytes again.
    if (error instanceof FileChanged) await rm(partial, { force: true });
    throw error;
  } finally {
    await release();
  }
}

/** Fetches until the bytes are right: wrong ones are thrown away and fetched once more. */
async function fetchRight(
  hub: HubConnection,
  job: Job,
  partial: string,
  report: (bytes: number, state: FileProgress['state']) => void,
  signal: AbortSignal,
): Promise<void> {
  for (let tries = 1; ; tries++) {
    await download(hub, job, partial, (have) => report(have, 'fetching'), signal);
    report(job.bytes, 'checking');
    if ((await digestOf(partial, job.etag, signal)) === job.etag) break;
    await rm(partial, { force: true });
    report(0, 'fetching');
    if (tries === 2) {
      throw new ModelNotOffered(
        `${job.repo}/${job.path} came twice with a wrong checksum and was thrown away. Something between here and ${hub.url} changes it: try another network, or look at models.hub in config.yml.`,
      );
    }
  }
  try {
    const { sha256 } = job;
    // The digest of small files is git's; theirs in the manifest could not be compared before.
    if (sha256 !== undefined && sha256 !== job.etag && (await digestOf(partial, sha256, signal)) !== sha256)
      throw otherThanNamed(hub, job);
    await checkContent(partial, job.path, job);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}
