import { checkPath, checkRepo, checkRevision, isCommit, isDigest } from './check-names.ts';
import { type HubConnection, reason, type Subject } from './hub-connection.ts';
import { ModelStoreError } from './model-store-error.ts';
import { Retryable, retry } from './retry.ts';

/** A file as the hub describes it: `etag` is the digest of its bytes. */
export type RemoteFile = {
  readonly repo: string;
  readonly commit: string;
  readonly path: string;
  readonly bytes: number;
  readonly etag: string;
};

/** So many paths the hub is asked about at once. */
const PATHS = 200;

/** The commit that a branch or tag stands for now. Throws `ModelStoreError`. */
export async function commitOf(
  hub: HubConnection,
  repo: string,
  revision: string,
  signal: AbortSignal,
): Promise<string> {
  if (isCommit(revision)) return revision;
  checkRepo(repo);
  checkRevision(revision);
  const { modelInfo } = await import('@huggingface/hub');
  const { sha } = await asked(hub, { repo, revision }, signal, (common) =>
    modelInfo({ name: repo, revision, additionalFields: ['sha'], ...common }),
  );
  if (typeof sha !== 'string' || !isCommit(sha)) throw new ModelStoreError(`${hub.url} names no commit for ${repo}.`);
  return sha;
}

/** What the hub says about files of a commit, in the order asked. Throws `ModelStoreError`, also when it lacks one. */
export async function describeFiles(
  hub: HubConnection,
  repo: string,
  commit: string,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<RemoteFile[]> {
  checkRepo(repo);
  for (const path of paths) checkPath(path);
  const { pathsInfo } = await import('@huggingface/hub');
  const files: RemoteFile[] = [];
  for (let i = 0; i < paths.length; i += PATHS) {
    const some = paths.slice(i, i + PATHS);
    const subject = { repo, revision: commit };
    const infos = await asked(hub, subject, signal, (common) =>
      pathsInfo({ repo: { type: 'model', name: repo }, revision: commit, paths: some, ...common }),
    );
    for (const path of some) {
      const info = infos.find((one) => one.path === path && one.type === 'file');
      if (!info) throw hub.missing({ ...subject, path });
      const etag = info.lfs?.oid ?? info.oid ?? '';
      const bytes = info.lfs?.size ?? info.size;
      if (!isDigest(etag) || !Number.isSafeInteger(bytes) || bytes < 0) {
        throw new ModelStoreError(`${hub.url} gives no size and checksum for ${repo}/${path}.`);
      }
      files.push({ repo, commit, path, bytes, etag });
    }
  }
  return files;
}

/** Why the hub cannot be reached now, as a sentence; undefined when it can. Waits three seconds at most. */
export async function whyUnreachable(hub: HubConnection, signal: AbortSignal): Promise<string | undefined> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(3_000)]);
  try {
    const { status, body } = await hub.send(new URL(`${hub.url}/api/models?limit=1`), { headers: {}, signal: limit });
    await body?.cancel();
    // Any of these comes from a hub that would serve; a proxy that blocks says 403 or 5xx.
    return status < 400 || status === 401 || status === 429 ? undefined : `${hub.url} answers with status ${status}.`;
  } catch (error) {
    signal.throwIfAborted();
    return limit.aborted ? `${hub.url} does not answer within 3 s.` : (error as Error).message;
  }
}

/** Calls the hub's library, again and again where that may help; its own errors name no fix, and it takes no signal. */
async function asked<T>(
  hub: HubConnection,
  subject: Subject,
  signal: AbortSignal,
  call: (common: { hubUrl: string; fetch: typeof fetch }) => Promise<T>,
): Promise<T> {
  const send: typeof fetch = async (input, init) => {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(hub.stallMs)]);
    const headers = (init?.headers ?? {}) as Record<string, string>;
    const response = await hub.send(new URL(String(input)), { ...init, headers, signal: limit });
    if (!response.ok) {
      await response.body?.cancel();
      throw hub.refusal(response, subject);
    }
    const body = await response.arrayBuffer().catch((cause: unknown) => {
      throw new Retryable(`The connection to ${hub.url} dropped (${reason(cause)}).`, undefined, { cause });
    });
    return new Response(body, { headers: response.headers });
  };
  try {
    return await retry(() => call({ hubUrl: hub.url, fetch: send }), hub.pause, signal);
  } catch (cause) {
    if (cause instanceof SyntaxError) {
      const fix = 'Look at models.hub in config.yml; a network may also ask for a login first.';
      throw new ModelStoreError(`${hub.url} does not answer as a model hub does. ${fix}`, { cause });
    }
    if (!(cause instanceof Retryable)) throw cause;
    throw new ModelStoreError(`The hub could not be asked about ${subject.repo}: ${cause.message}`, { cause });
  }
}
