import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { readPcm16, writePcm16 } from '../../../src/protocol/pcm.ts';
import { lendingSockets } from '../../../src/server/lending-sockets.ts';
import {
  type BaseClip,
  type Face,
  type LipSync,
  type Picture,
  VideoError,
} from '../../../src/server/video/contracts.ts';
import { cropAround } from '../../../src/server/video/lip-sync/musetalk/pictures/crop-around.ts';
import { faceBox } from '../../../src/server/video/lip-sync/musetalk/prepare/face-box.ts';
import { PictureCache } from '../../../src/server/video/lip-sync/picture-cache.ts';
import { createRemoteLipSync } from '../../../src/server/video/lip-sync/remote.ts';
import { faceRegion } from '../../../src/server/video/lip-sync/remote-region.ts';
import { type LipSyncMessage, serveLipSync } from '../../../src/server/video/lip-sync/serve-lip-sync.ts';
import { createVisemes } from '../../../src/server/video/lip-sync/visemes.ts';
import { synthesise } from '../../fixtures/speech.ts';

const SIZE = 192;
const RATE = 16_000;
const never = new AbortController().signal;

/** An oval face on a grey ground, a little further to the right in each frame. */
function drawnClip(frames: number): BaseClip {
  const ring = (x: number, y: number, rx: number, ry: number, points: number) =>
    Array.from({ length: points }, (_, i) => {
      const angle = Math.PI + (2 * Math.PI * i) / points;
      return { x: x + rx * Math.cos(angle), y: y + ry * Math.sin(angle) };
    });
  const faces: Face[] = Array.from({ length: frames }, (_, i) => ({
    box: { x: 66 + i, y: 50, width: 60, height: 80 },
    outerLips: ring(96 + i, 110, 14, 6, 20),
    innerLips: ring(96 + i, 110, 11, 0.2, 20),
    leftEye: ring(84 + i, 80, 5, 2, 16),
    rightEye: ring(108 + i, 80, 5, 2, 16),
    jaw: Array.from({ length: 17 }, (_, k) => ({
      x: 96 + i - 30 * Math.cos((Math.PI * k) / 16),
      y: 90 + 40 * Math.sin((Math.PI * k) / 16),
    })),
  }));
  const picture = (index: number): Picture => {
    const rgb = new Uint8Array(3 * SIZE * SIZE);
    for (let y = 0; y < SIZE; y++) {
      for (let x = 0; x < SIZE; x++) {
        const inFace = ((x - 96 - index) / 30) ** 2 + ((y - 90) / 40) ** 2 < 1;
        const inLips = ((x - 96 - index) / 14) ** 2 + ((y - 110) / 6) ** 2 < 1;
        const grain = (x * 31 + y * 17 + ((x * y) % 7)) % 12;
        const colour = inLips ? [180, 80, 80] : inFace ? [215, 170, 150] : [120, 125, 130];
        for (let c = 0; c < 3; c++) rgb[3 * (y * SIZE + x) + c] = colour[c]! + grain;
      }
    }
    return { width: SIZE, height: SIZE, rgb };
  };
  return { width: SIZE, height: SIZE, frames, picture: async (i) => picture(i), face: (i) => faces[i]! };
}

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A server on loopback whose every WebSocket `take` gets; or which answers every upgrade with an HTTP status. */
async function farEnd(take: ((socket: WebSocket) => void) | number): Promise<string> {
  const server: Server = createServer();
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    if (typeof take === 'number') socket.end(`HTTP/1.1 ${take} No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    else sockets.handleUpgrade(request, socket, head, take);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(async () => {
    for (const socket of sockets.clients) socket.terminate();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Lends a lip-sync to whoever is at the other end, as a server does. */
function lend(socket: WebSocket, lipSync: LipSync, pictures = new PictureCache()): void {
  const lender = {
    lend: (messages: AsyncIterable<LipSyncMessage>, signal: AbortSignal) =>
      serveLipSync(lipSync, pictures, messages, signal),
  };
  lendingSockets(() => lender, { info() {}, warn() {} })(socket);
}

const remoteAt = (baseUrl: string, patienceMs?: number) => createRemoteLipSync({ baseUrl, token: '' }, patienceMs);

async function* speechOf(samples: Float32Array, length = 1_600): AsyncGenerator<Float32Array> {
  for (let at = 0; at < samples.length; at += length) yield samples.subarray(at, at + length);
}

async function all(pictures: AsyncIterable<Picture>): Promise<Picture[]> {
  const out: Picture[] = [];
  for await (const picture of pictures) out.push(picture);
  return out;
}

const tone = (seconds: number) => Float32Array.from({ length: seconds * RATE }, (_, i) => 0.3 * Math.sin(i / 7));

/** What becomes of asking the far end at `url` for two seconds of speech. */
const failure = (url: string, patienceMs?: number): Promise<unknown> =>
  all(remoteAt(url, patienceMs).frames(drawnClip(2), speechOf(tone(2)), RATE, never)).then(
    () => 'no failure',
    (error: unknown) => error,
  );

describe('lip-sync by another voice-chat', () => {
  it('gives the frames that the same lip-sync gives here', async () => {
    const { samples, rate } = await synthesise('Papa made a big pie.');
    const url = await farEnd((socket) => lend(socket, createVisemes()));
    // As it travels: in 16 bits.
    const pcm = new DataView(new ArrayBuffer(2 * samples.length));
    writePcm16(samples, pcm, 0);
    const here = await all(createVisemes().frames(drawnClip(5), speechOf(readPcm16(pcm, 0)), rate, never));
    const there = await all(remoteAt(url).frames(drawnClip(5), speechOf(samples), rate, never));
    expect(there.length).toBe(here.length);
    expect(there.length).toBe(Math.ceil((samples.length * 25) / rate));
    // A region's pixels have other coordinates: the last bit of a colour may differ.
    const apart = there.map(({ rgb }, i) =>
      rgb.reduce((most, v, k) => Math.max(most, Math.abs(v - here[i]!.rgb[k]!)), 0),
    );
    expect(Math.max(...apart)).toBeLessThanOrEqual(1);
    const still = await drawnClip(5).picture(0);
    expect(there.some(({ rgb }) => Buffer.compare(rgb, still.rgb) !== 0)).toBe(true);
  });

  it('sends each picture of a clip once, and only the region of the face', async () => {
    const pictures = new PictureCache();
    let bytes = 0;
    const url = await farEnd((socket) => {
      socket.on('message', (data: Buffer, isBinary) => {
        if (isBinary && data[0] === 2) bytes += data.length;
      });
      lend(socket, createVisemes(), pictures);
    });
    const ask = () => all(remoteAt(url).frames(drawnClip(3), speechOf(tone(1)), RATE, never));
    expect(await ask()).toHaveLength(25);
    const once = bytes;
    expect(once).toBeGreaterThan(3 * 3 * 60 * 80);
    expect(once).toBeLessThan(3 * 3 * SIZE * SIZE);
    expect(await ask()).toHaveLength(25);
    expect(bytes).toBe(once);
  });

  it.each(['elias', 'jun', 'mara', 'zola'])('sends of %s all that MuseTalk looks at', (name) => {
    const json = readFileSync(
      new URL(`../../../src/server/video/avatars/presets/${name}.json`, import.meta.url),
      'utf8',
    );
    const { face } = JSON.parse(json) as { face: Face };
    const base = { width: 512, height: 512, frames: 1, face: () => face } as unknown as BaseClip;
    const region = faceRegion(base);
    const parsed = cropAround(faceBox(Array(68).fill({ x: 0, y: 0 }), face.box, 10, base));
    expect(parsed.x).toBeGreaterThanOrEqual(region.x);
    expect(parsed.y).toBeGreaterThanOrEqual(region.y);
    expect(parsed.x + parsed.width).toBeLessThanOrEqual(region.x + region.width);
    expect(parsed.y + parsed.height).toBeLessThanOrEqual(region.y + region.height);
  });

  it('keeps no more pictures than it may, those that were used last', () => {
    const pictures = new PictureCache(30);
    for (const hash of ['a', 'b', 'c']) pictures.set(hash, new Uint8Array(10));
    expect(pictures.get('a')).toHaveLength(10);
    pictures.set('d', new Uint8Array(10));
    expect(['a', 'b', 'c', 'd'].filter((hash) => pictures.get(hash))).toEqual(['a', 'c', 'd']);
  });

  it('gives no frames for no speech', async () => {
    const url = await farEnd((socket) => lend(socket, createVisemes()));
    expect(await all(remoteAt(url).frames(drawnClip(2), speechOf(new Float32Array(0)), RATE, never))).toEqual([]);
  });

  it('runs only a few seconds ahead of whoever takes the frames', async () => {
    const url = await farEnd((socket) => lend(socket, createVisemes()));
    let given = 0;
    async function* speech() {
      for await (const chunk of speechOf(tone(9))) {
        given += chunk.length;
        yield chunk;
      }
    }
    let taken = 0;
    for await (const _ of remoteAt(url).frames(drawnClip(2), speech(), RATE, never)) {
      expect(given / RATE - taken / 25).toBeLessThan(4.5);
      taken++;
    }
    expect(taken).toBe(225);
  });

  it('ends at once when it is aborted, at both ends', async () => {
    const stopped = deferred();
    const far: LipSync = {
      async *frames(base, _speech, _rate, signal) {
        yield await base.picture(0);
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        stopped.resolve();
      },
      async [Symbol.asyncDispose]() {},
    };
    const url = await farEnd((socket) => lend(socket, far));
    const abort = new AbortController();
    let frames = 0;
    for await (const _ of remoteAt(url).frames(drawnClip(2), speechOf(tone(2)), RATE, abort.signal)) {
      frames++;
      abort.abort();
    }
    expect(frames).toBe(1);
    await stopped.promise;
  });

  it('hears at the far end when whoever asked goes away', async () => {
    const stopped = deferred();
    const far: LipSync = {
      async *frames(base, _speech, _rate, signal) {
        signal.addEventListener('abort', () => stopped.resolve());
        for (;;) yield await base.picture(0);
      },
      async [Symbol.asyncDispose]() {},
    };
    const url = await farEnd((socket) => lend(socket, far));
    for await (const _ of remoteAt(url).frames(drawnClip(2), speechOf(tone(2)), RATE, never)) break;
    await stopped.promise;
  });
});

describe('a far end that does not lend its lip-sync', () => {
  it.each([
    [401, /video\.lipSync\.token/],
    [403, /allowedHosts/],
    [404, /same version/],
    [500, /HTTP 500/],
  ])('refuses with HTTP %i', async (status, fix) => {
    const error = await failure(await farEnd(status));
    expect(error).toBeInstanceOf(VideoError);
    expect((error as Error).message).toMatch(fix);
  });

  it('is not there', async () => {
    const url = await farEnd(404);
    for (const close of closing.splice(0)) await close();
    const error = await failure(url);
    expect(error).toBeInstanceOf(VideoError);
    expect((error as Error).message).toMatch(/ECONNREFUSED.*video\.lipSync\.baseUrl/);
  });

  it('speaks another version', async () => {
    const url = await farEnd((socket) => socket.on('message', () => socket.send('{"type":"ready","version":2}')));
    expect((await failure(url)) as Error).toMatchObject({
      name: 'VideoError',
      message: expect.stringContaining('same version'),
    });
  });

  it.each([
    ['nothing known', 'hello'],
    ['a frame of another time', patchOf(7)],
  ])('answers %s', async (_, answer) => {
    const url = await farEnd((socket) => {
      socket.on('message', () => socket.send(answer));
    });
    expect((await failure(url)) as Error).toMatchObject({
      name: 'VideoError',
      message: expect.stringContaining('same version'),
    });
  });

  const obeying = (answers: (socket: WebSocket, message: { type?: string; index?: number }) => void) =>
    farEnd((socket) => {
      socket.on('message', (data: Buffer, isBinary) => {
        const message = isBinary ? {} : JSON.parse(String(data));
        if (message.type === 'start') socket.send('{"type":"ready","version":1}');
        else answers(socket, message);
      });
    });

  it('sends more frames than there is speech, which would fill the memory', async () => {
    const url = await obeying((socket, { type }) => {
      if (type === 'end') for (let frame = 0; frame < 60; frame++) socket.send(patchOf(frame));
    });
    expect((await failure(url)) as Error).toMatchObject({ message: expect.stringContaining('was not asked') });
  });

  it('sends a message larger than a picture', async () => {
    const url = await obeying((socket, { type }) => type === 'clip' && socket.send(Buffer.alloc(2 ** 20 + 1, 3)));
    expect((await failure(url)) as Error).toMatchObject({ message: expect.stringContaining('went away') });
  });

  it('wants a picture again and again', async () => {
    const url = await obeying((socket, { type }) => {
      if (type === 'picture') for (let times = 0; times < 2; times++) socket.send('{"type":"need","index":0}');
    });
    expect((await failure(url)) as Error).toMatchObject({ message: expect.stringContaining('was not asked') });
  });

  it('goes away in the middle', async () => {
    const url = await farEnd((socket) => {
      lend(socket, createVisemes());
      socket.on('message', (data: Buffer, isBinary) => isBinary && data[0] === 1 && socket.terminate());
    });
    expect((await failure(url)) as Error).toMatchObject({
      name: 'VideoError',
      message: expect.stringContaining('went away'),
    });
  });

  it('has no time, and says so', async () => {
    const url = await farEnd((socket) => socket.close(1013, 'No lip-sync is free now.'));
    expect((await failure(url)) as Error).toMatchObject({
      name: 'VideoError',
      message: expect.stringContaining('No lip-sync is free now.'),
    });
  });

  it('says nothing', async () => {
    const url = await farEnd(() => {});
    expect((await failure(url, 100)) as Error).toMatchObject({
      name: 'VideoError',
      message: expect.stringContaining('has not answered'),
    });
  });

  it('fails, and what it says of it comes through', async () => {
    const far: LipSync = {
      // biome-ignore lint/correctness/useYield: it fails first
      async *frames() {
        throw new VideoError('The card is on fire; call somebody.');
      },
      async [Symbol.asyncDispose]() {},
    };
    const url = await farEnd((socket) => lend(socket, far));
    expect((await failure(url)) as Error).toMatchObject({
      name: 'VideoError',
      message: 'The card is on fire; call somebody.',
    });
  });
});

describe('whoever asks for lip-sync wrongly', () => {
  const begun = ['{"type":"start","version":1}', '{"type":"clip","rate":16000,"width":100,"height":100,"frames":1}'];
  const facesOf = (far: number) => {
    const mouth = [0, 30, 60, 90].map((x) => ({ x, y: far }));
    const face = { box: { x: 0, y: 0, width: 100, height: 100 }, outerLips: mouth, innerLips: mouth };
    return JSON.stringify({ type: 'faces', from: 0, faces: [{ ...face, leftEye: [], rightEye: [], jaw: [] }] });
  };
  const picture = JSON.stringify({ type: 'picture', index: 0, hash: '0'.repeat(64) });
  it.each([
    ['a mouth that would take minutes to move', [...begun, facesOf(1e6)]],
    ['no face at all, after the last', [...begun, facesOf(50), '{"type":"faces","from":1,"faces":[]}']],
    ['a picture announced again and again', [...begun, picture, picture]],
    ['no JSON', ['hello']],
    ['no start', ['{"type":"end"}']],
    ['another version', ['{"type":"start","version":99}']],
    ['bytes before the clip', ['{"type":"start","version":1}', Buffer.alloc(20, 1)]],
    [
      'a huge clip',
      ['{"type":"start","version":1}', '{"type":"clip","rate":16000,"width":2000,"height":2000,"frames":5000}'],
    ],
  ])('is told so and closed: %s', async (_, messages) => {
    const url = await farEnd((socket) => lend(socket, createVisemes()));
    const { WebSocket } = await import('ws');
    const socket = new WebSocket(url.replace('http', 'ws'));
    const heard: string[] = [];
    socket.on('message', (data) => heard.push(String(data)));
    await once(socket, 'open');
    for (const message of messages) socket.send(message);
    await once(socket, 'close');
    expect(JSON.parse(heard.at(-1)!)).toMatchObject({ type: 'error' });
  });
});

function patchOf(frame: number): Uint8Array {
  const bytes = Buffer.alloc(16);
  bytes[0] = 3;
  bytes.writeUInt32LE(frame, 4);
  return bytes;
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve!: () => void;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
