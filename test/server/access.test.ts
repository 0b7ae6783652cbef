import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request as plainRequest, type RequestOptions } from 'node:http';
import { request as secureRequest } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { startTestServer, type TestServer } from '../fixtures/test-server.ts';
import { WireClient } from '../fixtures/wire-client.ts';

type Answer = { status: number; headers: Record<string, unknown>; body: string };

/** One HTTP request with exactly these headers; `fetch` would not send a foreign Host. */
function ask(url: string, options: RequestOptions & { ca?: Buffer; body?: string } = {}): Promise<Answer> {
  const { body, ...rest } = options;
  return new Promise((resolve, reject) => {
    const request = (url.startsWith('https') ? secureRequest : plainRequest)(url, rest, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body: text }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** The HTTP status that refuses an upgrade; 101 when it is not refused. */
function upgrade(url: string, headers: Record<string, string>, ca?: Buffer): Promise<number> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/ws/chat`, { headers, ...(ca ? { ca } : {}) });
    socket.on('error', () => {});
    socket.on('unexpected-response', (_request, response) => resolve(response.statusCode!));
    socket.on('open', () => {
      socket.terminate();
      resolve(101);
    });
  });
}

describe('a server on the loopback', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({
      server: { allowedHosts: ['chat.home'], allowedOrigins: ['https://friend.example'] },
    });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const port = () => new URL(server.url).port;

  it.each([
    ['a foreign page', { origin: 'https://evil.example' }, 403],
    ['a page without an origin of its own', { origin: 'null' }, 403],
    ['a page on another port', { origin: 'http://127.0.0.1:1' }, 403],
    ['another site of the browser', { 'sec-fetch-site': 'cross-site' }, 403],
    ['a name rebound to this machine', { host: 'evil.example' }, 403],
    ['a name that only begins like ours', { host: 'localhost.evil.example' }, 403],
    ['a friend', { origin: 'https://friend.example' }, 101],
    ['a name that is allowed', { host: 'CHAT.home:1234' }, 101],
    ['a program', {}, 101],
  ])('answers to %s on upgrades and pages alike', async (_, headers, status) => {
    const refused = 'voicechat_rejected_total{reason="host"}';
    const before = await server.metric(refused);
    expect(await upgrade(server.url, headers as Record<string, string>)).toBe(status);
    for (const path of ['/', '/livez', '/metrics', '/nothing']) {
      const expected = status === 403 ? 403 : path === '/nothing' ? 404 : 200;
      expect((await ask(server.url + path, { headers })).status, path).toBe(expected);
    }
    expect((await server.metric(refused)) - before).toBe('host' in headers && status === 403 ? 5 : 0);
  });

  it('takes its own page', async () => {
    expect(await upgrade(server.url, { origin: server.url })).toBe(101);
    expect(await upgrade(server.url, { origin: `http://localhost:${port()}`, host: `localhost:${port()}` })).toBe(101);
  });

  it('has one WebSocket and refuses others', async () => {
    const client = WireClient.connect(`${server.url}/elsewhere`);
    await expect(client).rejects.toThrow(/404/);
  });

  it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])('lets no %s change anything', async (method) => {
    for (const path of ['/', '/index.html', '/metrics', '/login']) {
      const { status, headers } = await ask(server.url + path, {
        method,
        headers: { 'content-length': '1000' },
        body: 'x'.repeat(1_000),
      });
      expect(status).toBe(405);
      expect(headers.allow).toBe('GET, HEAD');
    }
  });

  it('serves nothing from outside the page, however it is asked', async () => {
    for (const path of [
      '/../package.json',
      '/../../../../../../etc/passwd',
      '/%2e%2e/%2e%2e/etc/passwd',
      '/..%2f..%2fetc%2fpasswd',
      '/..\\..\\etc\\passwd',
      '//etc/passwd',
      '/index.html/../../server/cli.js',
      '/index.html%00.js',
      '/%',
      '/constructor',
      '/__proto__',
    ]) {
      const { status, body } = await ask(server.url, { path });
      expect(status, path).toBe(404);
      expect(body).toBe('There is nothing at this address.');
    }
  });

  it('answers to bytes that are no HTTP with 400, and lives on', async () => {
    const socket = connect(Number(port()), '127.0.0.1');
    socket.end('\x16\x03\x01 hello?\r\n\r\n');
    let answer = '';
    for await (const chunk of socket) answer += chunk;
    expect(answer).toMatch(/^HTTP\/1.1 400/);
    expect((await ask(server.url)).status).toBe(200);
  });

  it('tells browsers to trust nothing else', async () => {
    const { headers } = await ask(server.url);
    expect(headers['content-security-policy']).toMatch(/default-src 'self'.*frame-ancestors 'none'/);
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect((await ask(server.url, { headers: { 'if-none-match': String(headers.etag) } })).status).toBe(304);
    expect((await ask(server.url, { method: 'HEAD' })).body).toBe('');
  });
});

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

describe.skipIf(!hasOpenssl)('a server with a token (skipped where there is no openssl to make a certificate)', () => {
  const token = 'open sesame; ä%+1';
  let folder: string;
  let server: TestServer;
  let ca: Buffer;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'voice-chat-'));
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    const how = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    const made = spawnSync('openssl', ['req', ...how, ...subject, '-keyout', key, '-out', cert]);
    expect(made.status, String(made.stderr)).toBe(0);
    ca = readFileSync(cert);
    server = await startTestServer({ server: { token, tls: { cert, key } } });
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  const login = (body: string) => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded', origin: server.url };
    return ask(`${server.url}/login`, { method: 'POST', ca, headers, body });
  };
  const form = (given: string) => new URLSearchParams({ token: given }).toString();

  it('shows strangers how to log in, whether it is up, and nothing else', async () => {
    expect(server.url).toMatch(/^https:/);
    const page = await ask(server.url, { ca });
    expect(page.status).toBe(401);
    expect(page.body).toContain('<form method="post" action="/login">');
    for (const path of ['/index.html', '/main.js', '/metrics', '/healthz', '/nothing']) {
      expect((await ask(server.url + path, { ca })).status, path).toBe(401);
    }
    expect((await ask(`${server.url}/livez`, { ca })).status).toBe(200);
    expect(await upgrade(server.url, {}, ca)).toBe(401);
  });

  it.each([
    ['a wrong token', { authorization: 'Bearer open sesame' }],
    ['a wrong cookie', { cookie: 'voice-chat-token=x' }],
    ['a cookie that is broken', { cookie: 'voice-chat-token=%' }],
    ['an empty cookie', { cookie: 'voice-chat-token=' }],
    ['another scheme', { authorization: `Basic ${Buffer.from(token).toString('base64')}` }],
  ])('refuses %s', async (_, headers) => {
    expect((await ask(server.url, { ca, headers })).status).toBe(401);
    expect(await upgrade(server.url, headers, ca)).toBe(401);
    expect((await ask(`${server.url}/livez`, { ca })).status).toBe(200);
  });

  it('logs in who has the token, and talks with them', async () => {
    expect((await login(form('wrong'))).status).toBe(401);
    const { status, headers } = await login(form(token));
    expect(status).toBe(303);
    const cookie = String(headers['set-cookie']);
    expect(cookie).toMatch(/HttpOnly; SameSite=Strict; Path=\/; Secure/);
    const given = { cookie: cookie.split(';')[0]! };
    expect((await ask(server.url, { ca, headers: given })).status).toBe(200);
    const client = await WireClient.open(server.url, undefined, { ca, headers: given });
    await client.chat('hello');
    client.drop();
    const bearer = { authorization: `Bearer ${encodeURIComponent(token)}` };
    expect((await ask(server.url, { ca, headers: bearer })).status).toBe(401);
  });

  it('takes a login from its own page only', async () => {
    const headers = { origin: 'https://evil.example' };
    expect((await ask(`${server.url}/login`, { method: 'POST', ca, headers, body: form(token) })).status).toBe(403);
  });

  it('does not read a token without an end, and slows down who guesses', async () => {
    expect((await login(form('x'.repeat(100_000)))).status).toBe(413);
    const statuses: number[] = [];
    for (let i = 0; i < 6; i++) statuses.push((await login(form(`guess ${i}`))).status);
    expect(statuses).toContain(401);
    expect(statuses.at(-1)).toBe(429);
    expect((await login(form(token))).status).toBe(429);
  });

  it('looks at no more bearer tokens of an address that sent many wrong ones, on pages and upgrades', async () => {
    const wrong = { authorization: 'Bearer open sesame' };
    const statuses = await Promise.all(Array.from({ length: 40 }, () => ask(server.url, { ca, headers: wrong })));
    expect(statuses.map(({ status }) => status)).toContain(429);
    expect(await upgrade(server.url, { authorization: `Bearer ${token}` }, ca)).toBe(429);
  });
});
