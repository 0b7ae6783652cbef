import { open } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';

/** Answers a request if the address is its own; gives false, and leaves the response alone, if not. */
export type Route = (request: IncomingMessage, response: ServerResponse, url: URL) => Promise<boolean>;

/** A file of this server's own making, never one that a request names. */
export type ServedFile = {
  readonly file: string;
  readonly type: string;
  /** The content behind the address never changes. */
  readonly immutable: boolean;
  /** Offered under this name to be kept, instead of shown. */
  readonly saveAs?: string;
};

/** Answers GET and HEAD with a file, or the part of it that is asked for; false if the file is not there. */
export async function answerFile(
  request: IncomingMessage,
  response: ServerResponse,
  { file, type, immutable, saveAs }: ServedFile,
): Promise<boolean> {
  if (!readsOnly(request, response)) return true;
  const handle = await open(file).catch(() => undefined);
  if (!handle) return false;
  await using _ = { [Symbol.asyncDispose]: () => handle.close() };
  const { size, mtimeMs } = await handle.stat();
  const etag = `"${size.toString(36)}-${Math.round(mtimeMs).toString(36)}"`;
  response.setHeader('Content-Type', type);
  response.setHeader('Accept-Ranges', 'bytes');
  response.setHeader('ETag', etag);
  response.setHeader('Cache-Control', immutable ? 'private, max-age=86400, immutable' : 'private, no-cache');
  if (saveAs !== undefined) response.setHeader('Content-Disposition', `attachment; filename="${saveAs}"`);
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304).end();
    return true;
  }
  const { range, 'if-range': ifRange } = request.headers;
  const part = ifRange === undefined || ifRange === etag ? readRange(range, size) : undefined;
  if (part === 'outside') {
    response.writeHead(416, { 'Content-Range': `bytes */${size}` }).end();
    return true;
  }
  const { start, end } = part ?? { start: 0, end: size - 1 };
  if (part) response.setHeader('Content-Range', `bytes ${start}-${end}/${size}`);
  response.setHeader('Content-Length', end - start + 1);
  response.statusCode = part ? 206 : 200;
  if (request.method === 'HEAD' || size === 0) response.end();
  else await send(handle.createReadStream({ start, end, autoClose: false }), response);
  return true;
}

/** Answers GET and HEAD with bytes as they are made; of such an answer there are no parts. */
export async function answerGrowing(
  request: IncomingMessage,
  response: ServerResponse,
  { type, saveAs }: Pick<ServedFile, 'type' | 'saveAs'>,
  bytes: (signal: AbortSignal) => AsyncIterable<Uint8Array>,
): Promise<void> {
  if (!readsOnly(request, response)) return;
  response.setHeader('Content-Type', type);
  response.setHeader('Cache-Control', 'no-store');
  if (saveAs !== undefined) response.setHeader('Content-Disposition', `attachment; filename="${saveAs}"`);
  response.statusCode = 200;
  if (request.method === 'HEAD') return void response.end();
  const left = new AbortController();
  response.once('close', () => left.abort());
  response.flushHeaders();
  await send(bytes(left.signal), response);
}

/** Whether the method is GET or HEAD; the others are refused. */
export function readsOnly(request: IncomingMessage, response: ServerResponse): boolean {
  if (request.method === 'GET' || request.method === 'HEAD') return true;
  response.setHeader('Allow', 'GET, HEAD');
  response.setHeader('Content-Type', 'text/plain');
  response.writeHead(405).end('Only GET works here.');
  return false;
}

/** The one part of `size` bytes that a Range header asks for; undefined if it asks for none or for several. */
export function readRange(
  header: string | undefined,
  size: number,
): { readonly start: number; readonly end: number } | 'outside' | undefined {
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '') ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined;
  if (first === '')
    return last === '0' || size === 0 ? 'outside' : { start: Math.max(0, size - Number(last)), end: size - 1 };
  const [start, end] = [Number(first), last === '' ? size - 1 : Math.min(Number(last), size - 1)];
  if (last !== '' && Number(last) < start) return undefined;
  return start >= size ? 'outside' : { start, end };
}

/** Whoever leaves in the middle is no error; if the bytes fail in the middle, the connection says so by breaking off. */
async function send(bytes: AsyncIterable<Uint8Array>, response: ServerResponse): Promise<void> {
  await pipeline(bytes, response).catch(() => response.destroy());
}
