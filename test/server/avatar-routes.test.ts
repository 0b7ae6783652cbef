import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AvatarView } from '../../src/protocol/messages.ts';
import { type AvatarWorld, avatarRoutes } from '../../src/server/avatar-routes.ts';
import { AvatarStore } from '../../src/server/video/avatars/avatar-store.ts';
import { importPicture } from '../../src/server/video/avatars/import-picture.ts';
import { type Avatar, VideoError } from '../../src/server/video/contracts.ts';
import { cutSquare } from '../../src/server/video/pictures/cut-square.ts';
import { writePng } from '../../src/server/video/pictures/png.ts';
import { readPicture } from '../../src/server/video/pictures/read-picture.ts';

let folder: string;
let store: AvatarStore;
let shown: Avatar[];
let importing: AvatarWorld['importPicture'];
let base: string;
let close: () => Promise<unknown>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'avatar-routes-'));
  store = await AvatarStore.open({ folder, first: '', warn: () => {} });
  shown = [await store.current()];
  importing = importPicture;
  const routes = avatarRoutes({
    store,
    view: () => viewOf(shown.at(-1)!),
    show: async (avatar) => void shown.push(avatar),
    importPicture: (bytes, crop, signal) => importing(bytes, crop, signal),
  });
  const server = createServer(async (request, response) => {
    const isTaken = await routes(request, response, new URL(request.url!, 'http://localhost'));
    if (!isTaken) response.writeHead(404).end('nothing');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
});
afterEach(async () => {
  await close();
  await rm(folder, { recursive: true, force: true });
});

const viewOf = ({ id, name }: Avatar): AvatarView => ({
  id,
  name,
  picture: `/avatars/${id}/picture.png`,
  loops: { idle: `/avatars/${id}/loops/1.mp4` },
});

async function ask(method: string, path: string, body?: BodyInit, type = 'application/octet-stream') {
  const sent = body === undefined ? {} : { body, headers: { 'Content-Type': type } };
  const response = await fetch(`${base}${path}`, { method, ...sent });
  const text = await response.text();
  return { status: response.status, headers: response.headers, json: text === '' ? undefined : safely(text) };
}

// biome-ignore lint/suspicious/noExplicitAny: the answers are what is looked at.
function safely(text: string): any {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** A photo of a face: a preset, a little larger. */
async function photo(): Promise<Uint8Array<ArrayBuffer>> {
  const zola = await store.get('zola');
  const picture = await readPicture(await readFile(zola!.pictureFile));
  return new Uint8Array(await writePng(cutSquare(picture, 0, 0, 512, 600)));
}

describe('/api/avatar', () => {
  it('tells the face and all there are', async () => {
    const { status, json } = await ask('GET', '/api/avatar');
    expect(status).toBe(200);
    expect(json.avatar).toEqual(viewOf(shown[0]!));
    expect(json.avatars).toHaveLength(4);
    const [first] = json.avatars;
    expect(first).toEqual({
      id: first.id,
      name: 'Mara',
      preset: true,
      picture: `/avatars/${first.id}/picture.png`,
    });
    const picture = await fetch(base + first.picture);
    expect(picture.headers.get('content-type')).toBe('image/png');
    expect(await readPicture(new Uint8Array(await picture.arrayBuffer()))).toMatchObject({ width: 512, height: 512 });
  });

  it('makes a face of a picture, shows it, and removes it', async () => {
    const { status, json } = await ask('PUT', '/api/avatar?name=My%20aunt', await photo(), 'image/png');
    expect(status).toBe(200);
    expect(json.avatar.name).toBe('My aunt');
    expect(shown.at(-1)!.id).toBe(json.avatar.id);
    expect((await store.current()).id).toBe(json.avatar.id);
    expect((await ask('GET', '/api/avatar')).json.avatars).toHaveLength(5);
    const removed = await ask('DELETE', `/api/avatars/${json.avatar.id}`);
    expect(removed.status).toBe(200);
    expect(removed.json.avatar.name).toBe('Mara');
    expect(shown.at(-1)!.name).toBe('Mara');
    expect((await fetch(base + json.avatar.picture)).status).toBe(404);
    expect((await ask('DELETE', `/api/avatars/${json.avatar.id}`)).status).toBe(404);
  });

  it('chooses one that is there', async () => {
    const { id } = (await store.get('jun'))!;
    const { status, json } = await ask('PUT', '/api/avatar', JSON.stringify({ id }), 'application/json; charset=utf-8');
    expect([status, json.avatar.id]).toEqual([200, id]);
    expect((await store.current()).id).toBe(id);
    const unknown = await ask('PUT', '/api/avatar', '{"id":"0123456789abcdef"}', 'application/json');
    expect([unknown.status, typeof unknown.json.message]).toEqual([404, 'string']);
    for (const wrong of ['{}', 'null', '[', '{"id":7}', `{"id":"${'x'.repeat(5000)}"}`]) {
      expect((await ask('PUT', '/api/avatar', wrong, 'application/json')).status).toBe(400);
    }
    expect(shown).toHaveLength(2);
  });

  it('gives the part that is chosen to the importer', async () => {
    const crops: unknown[] = [];
    importing = async (_, crop) => {
      crops.push(crop);
      return { ok: false, problem: 'several_faces', message: 'Two.', width: 9, height: 8, faces: [] };
    };
    const refused = await ask('PUT', '/api/avatar?crop=0.5,0,0.25', new Uint8Array(3));
    expect(refused.status).toBe(422);
    expect(refused.json).toEqual({ problem: 'several_faces', message: 'Two.', width: 9, height: 8, faces: [] });
    expect(crops).toEqual([{ x: 0.5, y: 0, size: 0.25 }]);
    for (const crop of ['1', '0,0,0', '0,0,2', '0,-1,1', 'a,b,c', '0,0,1,1', ',,', '0,0,Infinity']) {
      expect((await ask('PUT', `/api/avatar?crop=${crop}`, new Uint8Array(3))).status).toBe(400);
    }
    expect(crops).toHaveLength(1);
  });

  it('refuses what is no picture', async () => {
    const { status, json } = await ask('PUT', '/api/avatar', '<svg/>', 'image/svg+xml');
    expect([status, json.problem]).toEqual([415, 'format']);
    expect((await ask('PUT', '/api/avatar', '')).status).toBe(415);
    expect(await store.list()).toHaveLength(4);
  });

  it('refuses a file that is too large without keeping it, and says so to whoever sent it', async () => {
    importing = async () => expect.unreachable();
    const { status, json } = await ask('PUT', '/api/avatar', new Uint8Array(20 * 2 ** 20));
    expect(status).toBe(413);
    expect(json).toEqual({
      problem: 'too_large',
      message: 'The file has more than 8 MiB; save the picture smaller.',
    });
  });

  it('says what fails in the video tier', async () => {
    importing = async () => {
      throw new VideoError('Run npm ci again.');
    };
    const { status, json } = await ask('PUT', '/api/avatar', new Uint8Array(3));
    expect([status, json]).toEqual([503, { message: 'Run npm ci again.' }]);
  });

  it('imports one picture at a time, and gives up with whoever sent it', async () => {
    let given!: (signal: AbortSignal) => void;
    const started = new Promise<AbortSignal>((resolve) => {
      given = resolve;
    });
    importing = (_, __, signal) => {
      given(signal);
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    };
    const { hostname, port } = new URL(base);
    const socket = connect(Number(port), hostname);
    socket.write(`PUT /api/avatar HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc`);
    const signal = await started;
    expect((await ask('PUT', '/api/avatar', new Uint8Array(3))).status).toBe(503);
    const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve));
    socket.destroy();
    await aborted;
    importing = importPicture;
    await expect.poll(async () => (await ask('PUT', '/api/avatar', await photo())).status).toBe(200);
  });
});

describe('uploads that do not end', () => {
  it('keep nobody from theirs, and are not taken without end', async () => {
    const { hostname, port } = new URL(base);
    const sockets = Array.from({ length: 3 }, () => connect(Number(port), hostname));
    for (const socket of sockets) socket.write(`PUT /api/avatar HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc`);
    // Their beginnings are there when later requests are answered.
    expect((await ask('GET', '/api/avatar')).status).toBe(200);
    expect((await ask('PUT', '/api/avatar', await photo())).status).toBe(200);
    const fourth = connect(Number(port), hostname);
    fourth.write(`PUT /api/avatar HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc`);
    await expect.poll(async () => (await ask('PUT', '/api/avatar', new Uint8Array(3))).status).toBe(503);
    for (const socket of [...sockets, fourth]) socket.destroy();
    await expect.poll(async () => (await ask('PUT', '/api/avatar', await photo())).status).toBe(200);
  });
});

describe('other requests', () => {
  it('keeps presets', async () => {
    const { id } = (await store.get('mara'))!;
    const { status, json } = await ask('DELETE', `/api/avatars/${id}`);
    expect([status, json.message]).toEqual([403, 'Mara comes with voice-chat and cannot be removed.']);
  });

  it('leaves other addresses to others', async () => {
    const { id } = (await store.get('mara'))!;
    const foreign = ['/', '/api/avatars', '/avatars/mara/picture.png', `/avatars/${id}/avatar.json`, '/api/avatar/x'];
    for (const path of [...foreign, `/avatars/${id}/..%2fcurrent.json`, '/avatars/0123456789abcdef/picture.png']) {
      expect((await ask('GET', path)).status, path).toBe(404);
    }
  });

  it('knows its methods', async () => {
    const { id } = (await store.get('mara'))!;
    for (const [method, path] of [
      ['POST', '/api/avatar'],
      ['GET', `/api/avatars/${id}`],
      ['PUT', `/avatars/${id}/picture.png`],
    ] as const) {
      const { status, headers } = await ask(method, path);
      expect([status, headers.get('allow') !== null]).toEqual([405, true]);
    }
  });
});
