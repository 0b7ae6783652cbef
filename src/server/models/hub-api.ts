import { checkPath, checkRepo, checkRevision, isCommit, isDigest } from './check-names.ts';
import { ModelStoreError } from './model-store-error.ts';
import { type Pause, pauseByClock, Retryable, retry, retryAfterMs } from './retry.ts';

/** A file as the hub describes it: `etag` is the digest of its bytes. */
export type RemoteFile = {
  readonly repo: string;
  readonly commit: string;
  readonly path: string;
  readonly bytes: number;
  readonly etag: string;
};

export type HubSettings = {
  /** Where the hub is, such as `https://huggingface.co`. */
  readonly hub: string;
  /** An access token; empty for none. */
  readonly token?: string;
  readonly fetch?: typeof fetch;
  readonly pause?: Pause;
  /** A connection that is silent for so long counts as dropped. */
  readonly stallMs?: number;
};

/** The hub has other bytes under this name than it said. */
export class FileChanged extends Error {
  override readonly name = 'FileChanged';
}

const REDIRECTS = [301, 302, 303, 307, 308];

/** What the store asks of the hub. Refusals are `ModelStoreError`s; what may pass is tried again with growing pauses. */
export class HubApi {
  readonly hub: string;
  readonly pause: Pause;
  readonly stallMs: number;
  readonly #token: string;
  readonly #fetch: typeof fetch;

  constructor({ hub, token = '', fetch: given = fetch, pause = pauseByClock, stallMs = 30_000 }: HubSettings) {
    this.hub = hub.replace(/\/+$/, '');
    this.#token = token;
    this.#fetch = given;
    this.pause = pause;
    this.stallMs = stallMs;
  }

  /** The commit that a branch or tag stands for now. */
  async commitOf(repo: string, revision: string, signal: AbortSignal): Promise<string> {
    if (isCommit(revision)) return revision;
    checkRepo(repo);
    checkRevision(revision);
    const { modelInfo } = await import('@huggingface/hub');
    const subject = { repo, revision };
    const { sha } = await this.#retry(subject, signal, () =>
      modelInfo({ name: repo, revision, additionalFields: ['sha'], ...this.#asked(subject, signal) }),
    );
    if (typeof sha !== 'string' || !isCommit(sha))
      throw new ModelStoreError(`${this.hub} names no commit for ${repo}.`);
    return sha;
  }

  /** What the hub says about files of a commit, in the order asked. */
  async about(repo: string, commit: string, paths: readonly string[], signal: AbortSignal): Promise<RemoteFile[]> {
    checkRepo(repo);
    for (const path of paths) checkPath(path);
    const { pathsInfo } = await import('@huggingface/hub');
    const files: RemoteFile[] = [];
    for (let i = 0; i < paths.length; i += 200) {
      const asked = paths.slice(i, i + 200);
      const subject = { repo, revision: commit };
      const infos = await this.#retry(subject, signal, () =>
        pathsInfo({
          repo: { type: 'model', name: repo },
          revision: commit,
          paths: asked,
          ...this.#asked(subject, signal),
        }),
      );
      for (const path of asked) {
        const info = infos.find((one) => one.path === path && one.type === 'file');
        if (!info) throw this.#missing({ ...subject, path });
        const etag = info.lfs?.oid ?? info.oid ?? '';
        const bytes = info.lfs?.size ?? info.size;
        if (!isDigest(etag) || !Number.isSafeInteger(bytes) || bytes < 0) {
          throw new ModelStoreError(`${this.hub} gives no size and checksum for ${repo}/${path}.`);
        }
        files.push({ repo, commit, path, bytes, etag });
      }
    }
    return files;
  }

  /**
   * The bytes of a file from `offset` on: `from` says where the answer really begins, 0 where the server knows no ranges.
   * Throws `FileChanged` when the hub now has other bytes under that name, `Retryable`, or `ModelStoreError`.
   */
  async open(file: RemoteFile, offset: number, signal: AbortSignal): Promise<{ body: Response; from: number }> {
    const path = file.path.split('/').map(encodeURIComponent).join('/');
    const hub = new URL(this.hub);
    let url = new URL(`${this.hub}/${file.repo}/resolve/${encodeURIComponent(file.commit)}/${path}`);
    for (let hops = 0; hops < 6; hops++) {
      const isHub = url.origin === hub.origin;
      const response = await this.#send(url, {
        redirect: 'manual',
        headers: {
          // Ranges count the bytes of the file, not of a compressed form.
          'accept-encoding': 'identity',
          ...(offset > 0 && { range: `bytes=${offset}-` }),
          // Only the hub knows the file by this tag. Where it redirects to names the same bytes otherwise; what it is
          // redirected to is chosen by `x-linked-etag`, which is compared below.
          ...(offset > 0 && isHub && hops === 0 && { 'if-range': `"${file.etag}"` }),
          // The token is for the hub alone, not for where it redirects to.
          ...(isHub && this.#authorization()),
        },
        signal,
      });
      const isHubsAnswer = hops === 0 || response.headers.has('x-linked-etag');
      const etag = plainEtag(response.headers.get('x-linked-etag') ?? response.headers.get('etag') ?? '');
      const isAnswer = response.ok || REDIRECTS.includes(response.status);
      // A cache in between may have tags of its own, which say nothing.
      if (isHubsAnswer && isAnswer && isDigest(etag) && etag !== file.etag) {
        await response.body?.cancel();
        throw new FileChanged(`${file.repo}/${file.path} has changed on ${this.hub}.`);
      }
      const location = response.headers.get('location');
      if (!REDIRECTS.includes(response.status) || location === null) return this.#opened(response, file, offset);
      await response.body?.cancel();
      url = new URL(location, url);
    }
    throw new ModelStoreError(`${this.hub} redirects without end for ${file.repo}/${file.path}.`);
  }

  async #opened(response: Response, file: RemoteFile, offset: number): Promise<{ body: Response; from: number }> {
    const { status, headers } = response;
    if (status === 206) {
      const [, start, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('content-range') ?? '') ?? [];
      if (Number(start) === offset && (total === '*' || Number(total) === file.bytes)) {
        return { body: response, from: offset };
      }
    }
    if (status === 200) {
      const length = headers.get('content-length');
      if (length === null || Number(length) === file.bytes) return { body: response, from: 0 };
    }
    await response.body?.cancel();
    if (status === 416 || response.ok)
      throw new FileChanged(`${file.repo}/${file.path} has another size than ${this.hub} said.`);
    throw this.#refusal(response, { repo: file.repo, revision: file.commit, path: file.path });
  }

  /** Why the hub cannot be reached now, as a sentence; undefined when it can. Waits three seconds at most. */
  async reachable(signal: AbortSignal): Promise<string | undefined> {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(3_000)]);
    try {
      const url = new URL(`${this.hub}/api/models?limit=1`);
      const { status, body } = await this.#send(url, { headers: this.#authorization(), signal: limit });
      await body?.cancel();
      // Any of these comes from a hub that would serve; a proxy that blocks says 403 or 5xx.
      return status < 400 || status === 401 || status === 429
        ? undefined
        : `${this.hub} answers with status ${status}.`;
    } catch (error) {
      signal.throwIfAborted();
      return limit.aborted ? `${this.hub} does not answer within 3 s.` : (error as Error).message;
    }
  }

  /** The parameters that every call of the hub's library takes here. */
  #asked(subject: Subject, signal: AbortSignal): { hubUrl: string; fetch: typeof fetch } {
    return {
      hubUrl: this.hub,
      // The library takes neither a signal nor tokens of other hubs, and its errors name no fix.
      fetch: async (input, init) => {
        const limit = AbortSignal.any([signal, AbortSignal.timeout(this.stallMs)]);
        const headers = { ...(init?.headers as Record<string, string>), ...this.#authorization() };
        const response = await this.#send(new URL(String(input)), { ...init, headers, signal: limit });
        if (!response.ok) {
          await response.body?.cancel();
          throw this.#refusal(response, subject);
        }
        const body = await response.arrayBuffer().catch((cause: unknown) => {
          throw new Retryable(`The connection to ${this.hub} dropped (${reason(cause)}).`, undefined, { cause });
        });
        return new Response(body, { headers: response.headers });
      },
    };
  }

  async #retry<T>(subject: Subject, signal: AbortSignal, call: () => Promise<T>): Promise<T> {
    try {
      return await retry(call, this.pause, signal);
    } catch (error) {
      if (error instanceof SyntaxError) {
        const fix = 'Look at models.hub in config.yml; a network may also ask for a login first.';
        throw new ModelStoreError(`${this.hub} does not answer as a model hub does. ${fix}`, { cause: error });
      }
      if (!(error instanceof Retryable)) throw error;
      throw new ModelStoreError(`The hub could not be asked about ${subject.repo}: ${error.message}`, { cause: error });
    }
  }

  async #send(url: URL, init: RequestInit): Promise<Response> {
    try {
      return await this.#fetch(url, init);
    } catch (cause) {
      throw new Retryable(`${url.origin} cannot be reached (${reason(cause)}).`, undefined, { cause });
    }
  }

  #authorization(): Record<string, string> {
    return this.#token === '' ? {} : { authorization: `Bearer ${this.#token}` };
  }

  #missing({ repo, revision, path }: Subject): ModelStoreError {
    return new ModelStoreError(`${this.hub} has no ${path ?? 'repository'} in ${repo} at revision ${revision}.`);
  }

  #refusal(response: Response, subject: Subject): Error {
    const { status, headers } = response;
    const { repo } = subject;
    const what = subject.path === undefined ? repo : `${repo}/${subject.path}`;
    const page = `${this.hub}/${repo}`;
    if (status === 404) return this.#missing(subject);
    if (status === 401 || status === 403) {
      const have = this.#token === '' ? 'No token is set' : 'The token in models.token has no access';
      return new ModelStoreError(
        `${this.hub} refuses ${what} (status ${status}). ${have}: accept the model's licence at ${page}, if it has one, and put a token of that account into models.token in config.yml.`,
      );
    }
    if (status === 408 || status === 425 || status === 429 || status >= 500) {
      return new Retryable(`${this.hub} answers with status ${status}.`, retryAfterMs(headers.get('retry-after')));
    }
    return new ModelStoreError(`${this.hub} answers with status ${status} for ${what}.`);
  }
}

type Subject = { readonly repo: string; readonly revision: string; readonly path?: string };

const plainEtag = (etag: string): string => etag.replace(/^W\//, '').replaceAll('"', '');

/** The innermost reason: what `fetch failed` hides. */
export function reason(error: unknown): string {
  const { cause, message } = error as Error;
  if (cause instanceof Error) return reason(cause);
  return (error as NodeJS.ErrnoException).code ?? message;
}
