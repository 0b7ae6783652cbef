import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerFile, answerGrowing, readRange, type ServedFile } from '../../../src/server/file-answer.ts';

const BYTES = Buffer.from(Array.from({ length: 1000 }, (_, i) => i & 0xff));

describe('the part of a file that is asked for', () => {
  it.each([
    ['bytes=0-0', { start: 0, end: 0 }],
    ['bytes=10-', { start: 10, end: 99 }],
    ['bytes=10-1000', { start: 10, end: 99 }],
    ['bytes=-1', { start: 99, end: 99 }],
    ['bytes=-1000', { start: 0, end: 99 }],
    ['bytes=100-', 'outside'],
    ['bytes=-0', 'outside'],
    // What is no single part of bytes gets the whole.
    ['bytes=5-4', undefined],
    ['bytes=-', undefined],
    ['bytes=0-1,5-6', undefined],
    ['items=0-1', undefined],
    ['bytes=a-b', undefined],
    [`bytes=${'9'.repeat(30)}-`, undefined],
    [undefined, undefined],
  ])('of "%s" in 100 bytes', (header, expected) => {
    expect(readRange(header, 100)).toEqual(expected);
  });

  it('is nowhere in an empty file', () => {
    expect(readRange('bytes=0-', 0)).toBe('outside');
    expect(readRange('bytes=-5', 0)).toBe('outside');
  });
});

describe('a file over HTTP', () => {
  let folder: string;
  let server: Server;
  let url: string;
  let served: ServedFile;
  const growing: { next: (bytes: Buffer | undefined | Error) => void; left: boolean }[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'voice-chat-'));
    const file = join(folder, 'a.mp4');
    await writeFile(file, BYTES);
    served = { file, type: 'video/mp4', immutable: true };
    server = createServer((request, response) => {
      if (request.url === '/growing') {
        const one: (typeof growing)[number] = { next: () => {}, left: false };
        growing.push(one);
        void answerGrowing(request, response, { type: 'video/mp4' }, async function* (signal) {
          signal.addEventListener('abort', () => one.next(undefined));
          try {
            for (;;) {
              const bytes = await new Promise<Buffer | undefined | Error>((resolve) => {
                one.next = resolve;
              });
              if (bytes instanceof Error) throw bytes;
              if (!bytes) return;
              yield bytes;
            }
          } finally {
            one.left = true;
          }
        });
        return;
      }
      void answerFile(request, response, served).then((found) => found || response.writeHead(404).end());
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  });

  const get = async (headers: Record<string, string> = {}, method = 'GET') => {
    const response = await fetch(url, { headers, method });
    return { response, status: response.status, body: Buffer.from(await response.arrayBuffer()) };
  };

  it('comes whole, with its type and length', async () => {
    const { response, status, body } = await get();
    expect(status).toBe(200);
    expect(body.equals(BYTES)).toBe(true);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'video/mp4',
      'content-length': '1000',
      'accept-ranges': 'bytes',
    });
    expect(response.headers.get('content-disposition')).toBeNull();
  });

  it('comes in the part that is asked for, which a player seeks by', async () => {
    const { response, status, body } = await get({ range: 'bytes=10-19' });
    expect(status).toBe(206);
    expect([...body]).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
    expect(response.headers.get('content-range')).toBe('bytes 10-19/1000');
    expect((await get({ range: 'bytes=-3' })).body).toEqual(BYTES.subarray(997));
    const outside = await get({ range: 'bytes=1000-' });
    expect(outside.status).toBe(416);
    expect(outside.response.headers.get('content-range')).toBe('bytes */1000');
  });

  it('is not sent again to who has it, and whole to who has another', async () => {
    const etag = (await get()).response.headers.get('etag')!;
    const again = await get({ 'if-none-match': etag });
    expect([again.status, again.body.length]).toEqual([304, 0]);
    expect((await get({ range: 'bytes=0-0', 'if-range': etag })).status).toBe(206);
    expect((await get({ range: 'bytes=0-0', 'if-range': '"other"' })).status).toBe(200);
  });

  it('tells its headers without its bytes, and takes no other method', async () => {
    const head = await get({}, 'HEAD');
    expect([head.status, head.body.length, head.response.headers.get('content-length')]).toEqual([200, 0, '1000']);
    const put = await get({}, 'PUT');
    expect([put.status, put.response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it('is offered to be kept under a name', async () => {
    served = { ...served, saveAs: 'reply.mp4' };
    expect((await get()).response.headers.get('content-disposition')).toBe('attachment; filename="reply.mp4"');
  });

  it('that is gone is nobody’s answer', async () => {
    const there = served;
    served = { ...served, file: join(folder, 'gone.mp4') };
    expect((await get()).status).toBe(404);
    served = there;
  });

  it('that grows comes as it is made', async () => {
    const response = await fetch(`${url}/growing`);
    expect(response.headers.get('content-length')).toBeNull();
    const reader = response.body!.getReader();
    const { next } = growing.at(-1)!;
    next(Buffer.from('first'));
    expect(Buffer.from((await reader.read()).value!).toString()).toBe('first');
    growing.at(-1)!.next(Buffer.from('second'));
    expect(Buffer.from((await reader.read()).value!).toString()).toBe('second');
    growing.at(-1)!.next(undefined);
    expect((await reader.read()).done).toBe(true);
  });

  it('that fails while it grows does not look complete', async () => {
    const response = await fetch(`${url}/growing`);
    growing.at(-1)!.next(new Error('cut'));
    await expect(response.arrayBuffer()).rejects.toThrow();
  });

  it('that grows is let go when whoever reads it leaves', async () => {
    const before = growing.length;
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.write('GET /growing HTTP/1.1\r\nHost: x\r\n\r\n');
    await expect.poll(() => growing.length).toBe(before + 1);
    growing.at(-1)!.next(Buffer.from('some'));
    await once(socket, 'data');
    socket.destroy();
    await expect.poll(() => growing.at(-1)!.left).toBe(true);
  });
});
