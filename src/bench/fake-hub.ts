import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What goes wrong with a request: one for the API, or one for a file's bytes. Each happens once. */
export type Mishap =
  /** The connection is reset when so many bytes of the answer have gone out. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** The connection stays open and says no more. */
  | { readonly kind: 'hang'; readonly afterBytes: number }
  /** One byte of the file, counted from its start, is another. */
  | { readonly kind: 'wrong-byte'; readonly at: number }
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Record<string, string> }
  /** 200 and the whole file, whatever range was asked. */
  | { readonly kind: 'no-ranges' };

/** An answer with a file's bytes: where they began, and how many went out. */
export type Served = { readonly path: string; readonly from: number; bytes: number };

type StoredFile = { readonly bytes: Buffer; readonly etag: string; readonly isLfs: boolean };
type Repository = { commit: string; token: string; readonly files: Map<string, StoredFile> };

/** A server on this machine that behaves like the Hugging Face hub, as far as downloads need it, and badly on demand. */
export class FakeHub implements AsyncDisposable {
  /** Every answer with a file's bytes. */
  readonly served: Served[] = [];
  /** Every request: method, path, and the headers that matter here. */
  readonly requests: { readonly line: string; readonly headers: IncomingMessage['headers'] }[] = [];
  readonly #pieceBytes: number;
  readonly #pieceMs: number;
  readonly #server: Server;
  #port = 0;
  readonly #repositories = new Map<string, Repository>();
  readonly #mishaps: { on: 'api' | 'file'; path: string | undefined; mishap: Mishap }[] = [];

  private constructor(pieceBytes: number, pieceMs: number) {
    this.#pieceBytes = pieceBytes;
    this.#pieceMs = pieceMs;
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
  }

  /** Files go out in pieces of `pieceBytes`, with a pause of `pieceMs` after each: 0 is as fast as the system takes them. */
  static async start({ pieceBytes = 65_536, pieceMs = 0 } = {}): Promise<FakeHub> {
    const hub = new FakeHub(pieceBytes, pieceMs);
    hub.#server.listen(0, '127.0.0.1');
    await once(hub.#server, 'listening');
    hub.#port = (hub.#server.address() as AddressInfo).port;
    return hub;
  }

  /** Where it is, or was. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Puts a file into a repository, or other bytes under its name; large files are `lfs`. Answers the new commit. */
  put(repo: string, path: string, bytes: Uint8Array, { lfs = bytes.length > 100_000 } = {}): string {
    const repository = this.#repositories.get(repo) ?? { commit: '', token: '', files: new Map<string, StoredFile>() };
    const buffer = Buffer.from(bytes);
    const etag = lfs ? sha256(buffer) : gitSha1(buffer);
    repository.files.set(path, { bytes: buffer, etag, isLfs: lfs });
    repository.commit = createHash('sha1').update(`${repository.commit}${path}${etag}`).digest('hex');
    this.#repositories.set(repo, repository);
    return repository.commit;
  }

  /** Lets nobody read a repository's files without this token, as with a licence that must be accepted. */
  gate(repo: string, token: string): void {
    this.#repositories.get(repo)!.token = token;
  }

  /** Lets the next request of its kind (for `path`, if given) go wrong; several are used up in the order they were given. */
  next(on: 'api' | 'file', mishap: Mishap, path?: string): void {
    this.#mishaps.push({ on, path, mishap });
  }

  /** Bytes of files that went out. */
  get bytesServed(): number {
    return this.served.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, this.url);
    this.requests.push({ line: `${request.method} ${url.pathname}`, headers: request.headers });
    const path = decodeURIComponent(url.pathname);
    const blob = /^\/cdn\/([0-9a-f]+)$/.exec(path)?.[1];
    if (blob) return this.#blob(blob, request, response);
    const file = /^\/(.+?)\/resolve\/([^/]+)\/(.+)$/.exec(path);
    if (file) return this.#resolve(file[1]!, file[3]!, request, response);
    const mishap = this.#take('api', path);
    if (mishap?.kind === 'status') return end(response, mishap.status, mishap.headers);
    if (path === '/api/models') return json(response, []);
    const info = /^\/api\/models\/(.+?)\/revision\/(.+)$/.exec(path);
    const asked = info ?? /^\/api\/models\/(.+?)\/paths-info\/(.+)$/.exec(path);
    const repository = this.#repositories.get(asked?.[1] ?? '');
    if (!asked || !repository) return end(response, 404, { 'x-error-code': 'RepoNotFound' });
    const [, name, revision] = asked;
    if (revision !== 'main' && revision !== repository.commit) {
      return end(response, 404, { 'x-error-code': 'RevisionNotFound' });
    }
    if (info) return json(response, { _id: name, id: name, sha: repository.commit, lastModified: '2026-01-01' });
    const { paths } = JSON.parse(await textOf(request)) as { paths: string[] };
    return json(
      response,
      paths.flatMap((one) => describe(one, repository.files.get(one))),
    );
  }

  /** `/<repo>/resolve/<commit>/<path>`: large files are redirected, small ones come at once. */
  async #resolve(repo: string, path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const repository = this.#repositories.get(repo);
    const file = repository?.files.get(path);
    if (!repository || !file) return end(response, 404, { 'x-error-code': 'EntryNotFound' });
    if (repository.token !== '' && request.headers.authorization !== `Bearer ${repository.token}`) {
      return end(response, request.headers.authorization ? 403 : 401, { 'x-error-code': 'GatedRepo' });
    }
    const about = { 'x-repo-commit': repository.commit, 'accept-ranges': 'bytes' };
    if (file.isLfs) {
      return end(response, 302, {
        ...about,
        'x-linked-etag': `"${file.etag}"`,
        'x-linked-size': String(file.bytes.length),
        // Another origin, as that of the real one is.
        location: `http://localhost:${this.#port}/cdn/${file.etag}`,
      });
    }
    return this.#bytes(path, file, request, response, { ...about, etag: `"${file.etag}"` });
  }

  /** Where large files are redirected to: it knows them under tags of its own. */
  async #blob(etag: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const { files } of this.#repositories.values()) {
      for (const [path, file] of files) {
        if (file.etag === etag) return this.#bytes(path, file, request, response, { etag: '"of-the-cdn"' });
      }
    }
    return end(response, 404);
  }

  async #bytes(
    path: string,
    { bytes }: StoredFile,
    request: IncomingMessage,
    response: ServerResponse,
    headers: Record<string, string>,
  ): Promise<void> {
    if (request.method === 'HEAD') return end(response, 200, { ...headers, 'content-length': String(bytes.length) });
    const mishap = this.#take('file', path);
    if (mishap?.kind === 'status') return end(response, mishap.status, mishap.headers);
    const ifRange = request.headers['if-range'];
    const isSame = ifRange === undefined || ifRange === headers.etag;
    const asked =
      mishap?.kind === 'no-ranges' || !isSame ? undefined : /^bytes=(\d+)-/.exec(request.headers.range ?? '');
    const from = Number(asked?.[1] ?? 0);
    const total = bytes.length;
    if (from >= total && total > 0) return end(response, 416, { 'content-range': `bytes */${total}` });
    const body = Buffer.from(bytes);
    if (mishap?.kind === 'wrong-byte') body[mishap.at]! ^= 1;
    response.writeHead(asked ? 206 : 200, {
      ...headers,
      'content-length': total - from,
      ...(asked && { 'content-range': `bytes ${from}-${total - 1}/${total}` }),
    });
    const served: Served = { path, from, bytes: 0 };
    this.served.push(served);
    const stopsAt = mishap && 'afterBytes' in mishap ? from + mishap.afterBytes : total;
    for (let at = from; at < Math.min(stopsAt, total) && !response.destroyed; ) {
      const piece = body.subarray(at, Math.min(at + this.#pieceBytes, stopsAt, total));
      if (!(await write(response, piece))) return;
      served.bytes += piece.length;
      at += piece.length;
      if (this.#pieceMs > 0) await sleep(this.#pieceMs);
    }
    if (mishap?.kind === 'cut' && stopsAt < total) response.socket?.resetAndDestroy();
    else if (mishap?.kind !== 'hang') response.end();
  }

  #take(on: 'api' | 'file', path: string): Mishap | undefined {
    const i = this.#mishaps.findIndex((one) => one.on === on && (one.path === undefined || one.path === path));
    return i < 0 ? undefined : this.#mishaps.splice(i, 1)[0]!.mishap;
  }
}

/** The SHA-256 of bytes in hex, by which the hub knows large files. */
export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** The digest that git gives a blob, by which the hub knows small files. */
export const gitSha1 = (bytes: Uint8Array): string =>
  createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');

/** As the API lists it: of a large file git itself only holds a pointer, which has a digest of its own. */
function describe(path: string, file: StoredFile | undefined): object[] {
  if (!file) return [];
  const { bytes, etag, isLfs } = file;
  const lfs = { oid: etag, size: bytes.length, pointerSize: 134 };
  const oid = isLfs ? gitSha1(Buffer.from(etag)) : etag;
  return [{ type: 'file', path, oid, size: bytes.length, ...(isLfs && { lfs, xetHash: sha256(Buffer.from(etag)) }) }];
}

/** Whether the piece went out; false when the client has gone. */
function write(response: ServerResponse, piece: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    const gone = () => resolve(false);
    response.once('close', gone);
    response.write(piece, (error) => {
      response.off('close', gone);
      resolve(!error);
    });
  });
}

function end(response: ServerResponse, status: number, headers: Record<string, string> = {}): void {
  response.writeHead(status, headers).end();
}

function json(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text;
}
