import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { type WebSocket, WebSocketServer } from 'ws';
import { CLOSE } from '../protocol/messages.ts';
import { type AccessRules, refusal, sameSecret, TOKEN_COOKIE } from './access.ts';
import { AddressLimits } from './address-limits.ts';
import type { Route } from './file-answer.ts';
import type { PageFile } from './page-files.ts';
import type { TlsFiles } from './tls-files.ts';

export type Answer = { readonly status: number; readonly type: string; readonly body: string };

export type HttpOptions = {
  readonly access: AccessRules;
  readonly tls: TlsFiles | undefined;
  readonly files: ReadonlyMap<string, PageFile>;
  /** Pages made when asked for; those in `open` need no token. */
  readonly pages: ReadonlyMap<string, () => Promise<Answer>>;
  readonly open: ReadonlySet<string>;
  /** Asked for every address before `pages` and `files`. */
  readonly routes: readonly Route[];
  /** What takes a WebSocket, by its address. */
  readonly sockets: ReadonlyMap<string, (socket: WebSocket) => void>;
  readonly onRefused: (reason: string) => void;
};

const MAX_MESSAGE_BYTES = 256 * 1024;
const MAX_LOGIN_BYTES = 4 * 1024;
/** An old page that comes back with an old cookie now and then must not use them up. */
const GUESSES = 30;
const GUESSES_PER_SECOND = 1;

type Limits = { readonly logins: AddressLimits; readonly guesses: AddressLimits };

const HEADERS = {
  'Content-Security-Policy':
    "default-src 'self'; connect-src 'self'; media-src 'self' blob:; worker-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'Permissions-Policy': 'microphone=(self), camera=(self)',
  'X-Content-Type-Options': 'nosniff',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
};

const LOGIN_PAGE = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>voice-chat</title><h1>voice-chat</h1><form method="post" action="/login">
<label>The token from config.yml (server.token): <input name="token" type="password" autofocus required></label>
<button>Log in</button></form></html>`;

export type HttpServer = {
  /** Does not listen yet. */
  readonly server: Server;
  /** Closes every WebSocket with 1001, and ends those that have not answered after `graceMs`. */
  closeSockets(graceMs: number): Promise<void>;
};

/** The page, its few other addresses and the upgrade to `/ws/chat`. */
export function createHttpServer(options: HttpOptions): HttpServer {
  const { access, tls } = options;
  const limits = { logins: new AddressLimits(5, 0.2), guesses: new AddressLimits(GUESSES, GUESSES_PER_SECOND) };
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    answerRequest(request, response, options, limits).catch(() => {
      if (response.headersSent) response.destroy();
      else send(response, 500, 'text/plain', 'Something went wrong here.');
    });
  };
  const server = tls ? createSecureServer(tls, handle) : createServer(handle);
  server.headersTimeout = 10_000;
  server.requestTimeout = 30_000;

  // Deflate stays off: a few bytes may not become gigabytes, and speech hardly shrinks.
  const sizes = { maxPayload: MAX_MESSAGE_BYTES, maxFragments: 64, maxBufferedChunks: 1024 };
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, ...sizes });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const refused = refusal(request, access, limits.guesses);
    if (refused) {
      options.onRefused(refused.reason);
      return refuseUpgrade(socket, refused.status, refused.text);
    }
    // What remains of a server that ends are connections that were kept alive.
    if (!server.listening) return refuseUpgrade(socket, 503, 'The server is shutting down.');
    const take = options.sockets.get(pathOf(request));
    if (!take) {
      const known = [...options.sockets.keys()].join(' and ');
      return refuseUpgrade(socket, 404, `There is a WebSocket at ${known} only.`);
    }
    sockets.handleUpgrade(request, socket, head, take);
  });
  return {
    server: server as Server,
    async closeSockets(graceMs) {
      const closed = [...sockets.clients].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
      for (const socket of sockets.clients) socket.close(CLOSE.goingAway, 'The server is shutting down.');
      await Promise.race([Promise.all(closed), sleep(graceMs, undefined, { ref: false })]);
      for (const socket of sockets.clients) socket.terminate();
    },
  };
}

async function answerRequest(
  request: IncomingMessage,
  response: ServerResponse,
  options: HttpOptions,
  limits: Limits,
): Promise<void> {
  const path = pathOf(request);
  const isLogin = path === '/login' && options.access.token !== '';
  const refused = refusal(request, options.access, limits.guesses, options.open.has(path) || isLogin);
  if (refused) {
    options.onRefused(refused.reason);
    if (refused.reason === 'token' && path === '/') return send(response, 401, 'text/html; charset=utf-8', LOGIN_PAGE);
    return send(response, refused.status, 'text/plain', refused.text);
  }
  if (isLogin && request.method === 'POST') return login(request, response, options, limits.logins);
  const url = urlOf(request);
  if (url) {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    for (const route of options.routes) if (await route(request, response, url)) return;
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    return send(response, 405, 'text/plain', 'Only GET works here.');
  }
  const page = options.pages.get(path);
  if (page) {
    const { status, type, body } = await page();
    return send(response, status, type, body);
  }
  const file = options.files.get(path);
  if (!file) return send(response, 404, 'text/plain', 'There is nothing at this address.');
  response.setHeader('ETag', file.etag);
  response.setHeader('Cache-Control', 'no-cache');
  if (request.headers['if-none-match'] === file.etag) return send(response, 304, file.type, '');
  send(response, 200, file.type, file.body);
}

async function login(
  request: IncomingMessage,
  response: ServerResponse,
  options: HttpOptions,
  attempts: AddressLimits,
): Promise<void> {
  if (!attempts.of(request).take(1)) return send(response, 429, 'text/plain', 'Too many attempts; wait a few seconds.');
  let body = '';
  // Were the request destroyed, so would be the connection, and with it the answer.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    body += String(chunk);
    if (body.length <= MAX_LOGIN_BYTES) continue;
    response.setHeader('Connection', 'close');
    return send(response, 413, 'text/plain', 'That is too long for a token.');
  }
  const given = new URLSearchParams(body).get('token') ?? '';
  if (!sameSecret(given, options.access.token)) {
    options.onRefused('token');
    return send(response, 401, 'text/html; charset=utf-8', LOGIN_PAGE);
  }
  const cookie = `${TOKEN_COOKIE}=${encodeURIComponent(given)}; HttpOnly; SameSite=Strict; Path=/`;
  response.setHeader('Set-Cookie', options.access.secure ? `${cookie}; Secure` : cookie);
  response.setHeader('Location', '/');
  send(response, 303, 'text/plain', '');
}

function send(response: ServerResponse, status: number, type: string, body: string | Buffer): void {
  for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
  response.setHeader('Content-Type', type);
  if (!response.hasHeader('Cache-Control')) response.setHeader('Cache-Control', 'no-store');
  response.statusCode = status;
  response.end(response.req.method === 'HEAD' || status === 304 ? undefined : body);
}

function refuseUpgrade(socket: Duplex, status: number, text: string): void {
  socket.end(
    `HTTP/1.1 ${status} Refused\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`,
  );
}

const pathOf = (request: IncomingMessage): string => (request.url ?? '/').split('?')[0]!;

/** Undefined for what is no address of a server, such as `http://elsewhere/`. */
function urlOf(request: IncomingMessage): URL | undefined {
  const text = `http://localhost${request.url}`;
  return request.url?.startsWith('/') && URL.canParse(text) ? new URL(text) : undefined;
}
