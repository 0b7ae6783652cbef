import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAX_PIECE_BYTES } from '../../src/protocol/frames.ts';
import { CommandLine, runs } from '../fixtures/command-line.ts';
import { startTestServer } from '../fixtures/test-server.ts';
import {
  HAS_FFMPEG,
  sentence,
  startVideoServer,
  type VideoServer,
  videoIsUp,
  videoProcesses,
} from '../fixtures/video-server.ts';
import { WireClient } from '../fixtures/wire-client.ts';

const PATIENCE = { timeout: 20_000 };
const WINDOW = 2 * MAX_PIECE_BYTES;

/** The boxes of an MP4, one after another, which must end where the file ends. */
function boxes(mp4: Uint8Array): string[] {
  const view = Buffer.from(mp4.buffer, mp4.byteOffset, mp4.byteLength);
  const names: string[] = [];
  for (let at = 0; at < view.length; ) {
    const size = view.readUInt32BE(at);
    names.push(view.toString('latin1', at + 4, at + 8));
    if (size < 8 || at + size > view.length) throw new Error(`The box ${names.at(-1)} does not end in the file.`);
    at += size;
  }
  return names;
}

/** Frames of the video in an MP4, as ffprobe counts them by decoding. */
function framesOf(mp4: Uint8Array): number {
  const folder = mkdtempSync(join(tmpdir(), 'voice-chat-'));
  const file = join(folder, 'clip.mp4');
  writeFileSync(file, mp4);
  const args = ['-v', 'error', '-count_frames', '-select_streams', 'v', '-show_entries', 'stream=nb_read_frames'];
  const { stdout } = spawnSync('ffprobe', [...args, '-of', 'csv=p=0', file], { encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  return Number.parseInt(stdout, 10);
}

describe.skipIf(!HAS_FFMPEG)('clips on the wire (skipped where there is no ffmpeg)', () => {
  let server: VideoServer;
  beforeAll(async () => {
    server = await startVideoServer({
      llm: { engine: 'scripted', replies: [sentence(6)] },
      server: { allowedOrigins: [] },
    });
    await server.isUp();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const open = (clips?: 'pieces' | 'url') => WireClient.open(server.url, undefined, {}, clips);
  const get = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(server.url + path, init);
    return { response, status: response.status, body: new Uint8Array(await response.arrayBuffer()) };
  };
  /** A clip that is finished on the server: whether or not its pieces were taken. */
  const isWhole = (url: string) =>
    expect
      .poll(async () => (await get(url, { method: 'HEAD' })).response.headers.get('accept-ranges'), PATIENCE)
      .toBe('bytes');

  it('come whole, in small pieces, as a video as long as the speech', async () => {
    const client = await open('pieces');
    const turn = await client.chat('hello');
    const begun = await client.first('speaking_clip');
    const done = await client.first('clip_done');
    expect(begun).toMatchObject({ turn, url: `/clips/${begun.clip}.mp4`, width: 512, height: 512, fps: 25 });
    expect(begun.mime).toMatch(/^video\/mp4; codecs="avc1\.\w{6}, mp4a\.40\.2"$/);
    expect(Math.max(...client.pieces.map(({ bytes }) => bytes.length))).toBeLessThanOrEqual(MAX_PIECE_BYTES);
    expect(client.pieces.map(({ last }) => last).indexOf(true)).toBe(client.pieces.length - 1);
    const clip = Buffer.concat(client.pieces.map(({ bytes }) => bytes));
    expect(clip.length).toBe(done.bytes);
    const seconds = client.samples(turn) / client.welcome.speechRate;
    expect(done.seconds).toBeCloseTo(seconds, 3);
    expect(boxes(clip).slice(0, 3)).toEqual(['ftyp', 'moov', 'moof']);
    expect(framesOf(clip)).toBe(Math.ceil(seconds * 25));

    const whole = await get(done.url);
    expect(whole.response.headers.get('content-type')).toBe('video/mp4');
    const names = boxes(whole.body);
    expect(names.indexOf('moov')).toBeLessThan(names.indexOf('mdat'));
    expect(names).not.toContain('moof');
    expect(framesOf(whole.body)).toBe(Math.ceil(seconds * 25));
    const part = await get(done.url, { headers: { range: 'bytes=4-7' } });
    expect([part.status, Buffer.from(part.body).toString()]).toEqual([206, 'ftyp']);
    const kept = await get(`${done.url}?download`);
    expect(kept.response.headers.get('content-disposition')).toBe('attachment; filename="voice-chat-reply.mp4"');
    client.drop();
  });

  it('come no further than the client has taken, and go on when it has', async () => {
    const client = await open('pieces');
    client.acknowledges = false;
    client.type('hello');
    const { url, turn } = await client.first('speaking_clip');
    await isWhole(url);
    expect(client.clipBytes(turn)).toBeGreaterThan(0);
    expect(client.clipBytes(turn)).toBeLessThanOrEqual(WINDOW);
    expect(client.of('clip_done')).toEqual([]);
    client.acknowledges = true;
    client.say({ type: 'clip_received', turn, bytes: client.clipBytes(turn) });
    const { bytes } = await client.first('clip_done');
    expect(client.clipBytes(turn)).toBe(bytes);
    client.drop();
  });

  it('stop at once when the reply is cut', async () => {
    const client = await open('pieces');
    client.acknowledges = false;
    client.type('hello');
    const { url, turn } = await client.first('speaking_clip');
    while (client.pieces.length === 0) await client.more();
    client.say({ type: 'interrupt' });
    await client.first('flush');
    const before = client.pieces.length;
    client.say({ type: 'clip_received', turn, bytes: client.clipBytes(turn) });
    client.say({ type: 'played', turn, samples: 0, final: true });
    // Whatever the server still had to say of that turn was said before the answer to this.
    client.say({ type: 'ping', id: 1 });
    await client.first('pong');
    expect(client.pieces).toHaveLength(before);
    expect(client.of('clip_done')).toEqual([]);
    await expect.poll(async () => (await get(url)).status, PATIENCE).toBe(404);
    client.drop();
  });

  it.each(['url', undefined] as const)(
    'come as addresses only to a client whose hello says clips: %s',
    async (clips) => {
      const client = await open(clips);
      client.type('hello');
      const { url, turn } = await client.first('speaking_clip');
      // While it is made: the stream from its beginning, to its end.
      const stream = get(url);
      await client.hearAll(turn);
      const done = await client.first('clip_done');
      const { status, body } = await stream;
      expect([status, boxes(body)[0]]).toEqual([200, 'ftyp']);
      expect(framesOf(body)).toBe(framesOf((await get(done.url)).body));
      expect(client.pieces).toEqual([]);
      client.drop();
    },
  );

  it('come to each of two conversations that talk at once', async () => {
    const clients = await Promise.all([open('pieces'), open('pieces')]);
    await Promise.all(
      clients.map(async (client) => {
        await client.chat('hello');
        const { bytes, clip } = await client.first('clip_done');
        expect(client.clipBytes(1)).toBe(bytes);
        expect(client.of('speaking_clip').map((one) => one.clip)).toEqual([clip]);
      }),
    );
    for (const client of clients) client.drop();
  });

  it('come again after a dropped socket for new turns only, and the old ones can still be fetched', async () => {
    const client = await open('pieces');
    await client.chat('hello');
    const { url } = await client.first('clip_done');
    const { token } = client.welcome;
    client.drop();
    const again = await WireClient.open(server.url, token, {}, 'pieces');
    expect(again.welcome).toMatchObject({ resumed: true, avatar: { picture: expect.any(String) } });
    const turn = await again.chat('and again');
    await again.first('clip_done');
    expect(new Set(again.pieces.map((piece) => piece.turn))).toEqual(new Set([turn]));
    expect((await get(url)).status).toBe(200);
    again.drop();
  });

  it('take no acknowledgements that make no sense', async () => {
    const client = await open('pieces');
    client.say({ type: 'clip_received', turn: 99, bytes: 5 });
    client.say({ type: 'clip_received', turn: 0, bytes: 0xffffffff });
    await client.chat('hello');
    await client.first('clip_done');
    expect(client.of('error')).toEqual([]);
    client.drop();
  });

  it.skipIf(!existsSync('/proc/self/stat'))(
    'come again once what makes them has crashed and been replaced (skipped where there is no /proc)',
    async () => {
      const client = await open('pieces');
      const processes = await videoProcesses();
      expect(processes).toHaveLength(2);
      for (const pid of processes) process.kill(pid, 'SIGKILL');
      await expect.poll(server.state, { ...PATIENCE, interval: 5 }).toBe('restarting');
      await server.isUp();
      const turn = await client.chat('hello');
      expect(await client.first('clip_done')).toMatchObject({ turn, bytes: client.clipBytes(turn) });
      expect(await server.metric('voicechat_engine_restarts{stage="video"}')).toBe(1);
      expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
      client.drop();
    },
  );

  it('are counted', async () => {
    expect(await server.metric('voicechat_clips_total{result="done"}')).toBeGreaterThanOrEqual(5);
    expect(await server.metric('voicechat_clip_bytes_total')).toBeGreaterThan(10_000);
    expect(await server.metric('voicechat_engine_up{stage="video"}')).toBe(1);
    expect(await server.metric('voicechat_clip_start_seconds_count')).toBeGreaterThan(0);
  });

  it('are at no address but their own, by no method but GET', async () => {
    for (const path of ['/clips/', '/clips/x.mp4', '/clips/..%2f..%2fetc%2fpasswd.mp4', '/clips/../package.json']) {
      expect([path, (await get(path)).status]).toEqual([path, 404]);
    }
    const client = await open();
    await client.chat('hello');
    const { url } = await client.first('clip_done');
    const put = await get(url, { method: 'PUT', body: 'x' });
    expect([put.status, put.response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect((await get(url, { headers: { 'sec-fetch-site': 'cross-site' } })).status).toBe(403);
    client.drop();
  });

  it('show another face to everybody once it is chosen, and to no foreign page’s wish', async () => {
    const client = await open();
    type Faces = { avatar: { id: string }; avatars: { id: string }[] };
    const { avatar, avatars } = JSON.parse(Buffer.from((await get('/api/avatar')).body).toString()) as Faces;
    const other = avatars.find(({ id }) => id !== avatar.id)!;
    const put = (headers: Record<string, string>) =>
      get('/api/avatar', {
        method: 'PUT',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ id: other.id }),
      });
    expect((await put({ origin: 'https://evil.example' })).status).toBe(403);
    expect((await put({})).status).toBe(200);
    const told = await client.first('avatar', (message) => message.avatar.id === other.id);
    const picture = await get(told.avatar.picture);
    expect([picture.status, picture.response.headers.get('content-type')]).toEqual([200, 'image/png']);
    await client.first(
      'avatar',
      (message) => message.avatar.id === other.id && message.avatar.loops.idle !== undefined,
    );
    const { idle } = client.of('avatar').at(-1)!.avatar.loops;
    expect(boxes((await get(idle!)).body)).toContain('moov');
    client.drop();
  });
});

describe('a server without video', () => {
  it('has no face, no clips and no addresses of theirs', async () => {
    await using server = await startTestServer();
    const client = await WireClient.open(server.url, undefined, {}, 'pieces');
    expect(client.welcome.avatar).toBeUndefined();
    await client.chat('hello');
    client.say({ type: 'clip_received', turn: 1, bytes: 5 });
    await client.first('state', ({ state, turn }) => state === 'listening' && turn === 1);
    expect(client.pieces).toEqual([]);
    expect(client.of('error')).toEqual([]);
    for (const path of ['/api/avatar', '/clips/a.mp4', '/avatars/0123456789abcdef/picture.png']) {
      expect((await fetch(server.url + path)).status).toBe(404);
    }
    expect((await fetch(`${server.url}/api/avatar`, { method: 'PUT', body: 'x' })).status).toBe(405);
    client.drop();
  });
});

describe('a server whose cache folder cannot be one', () => {
  it('says so in its log, to every page and at its addresses, and talks without a face', async () => {
    const scratch = mkdtempSync(join(tmpdir(), 'voice-chat-'));
    const folder = join(scratch, 'a-file');
    writeFileSync(folder, 'not a folder');
    await using server = await startVideoServer({ cache: { folder } });
    const early = await WireClient.open(server.url, undefined, {}, 'pieces');
    const problem = `The avatars' folder ${join(folder, 'avatars')} cannot be written; mend its rights or change cache.folder.`;
    const { message } = await early.first('error');
    expect(message).toBe(problem);
    const late = await WireClient.open(server.url, undefined, {}, 'pieces');
    await late.chat('hello');
    expect(late.of('error')).toEqual([{ type: 'error', code: 'video_failed', stage: 'video', message: problem }]);
    const refused = await fetch(`${server.url}/api/avatar`);
    expect([refused.status, await refused.text()]).toEqual([503, problem]);
    expect(server.log.filter((line) => /WARN +video /.test(line))).toEqual([expect.stringContaining(problem)]);
    early.drop();
    late.drop();
    rmSync(scratch, { recursive: true });
  });
});

/** A process and all that it started, and they started. */
function family(pid: number): number[] {
  const path = `/proc/${pid}/task/${pid}/children`;
  const text = spawnSync('cat', [path], { encoding: 'utf8' }).stdout.trim();
  const children = text === '' ? [] : text.split(/\s+/).map(Number);
  return [...children, ...children.flatMap(family)];
}

describe.skipIf(!HAS_FFMPEG || !existsSync('/proc/self/stat'))(
  'a server with video that ends (skipped where there is no ffmpeg or no /proc)',
  () => {
    it.each(['SIGTERM', 'SIGKILL'] as const)('by %s in the middle of a clip leaves no process', async (signal) => {
      const folder = mkdtempSync(join(tmpdir(), 'voice-chat-'));
      const own = { engine: 'scripted' };
      const config = {
        vad: own,
        asr: own,
        llm: { ...own, replies: [sentence(200)] },
        tts: own,
        server: { port: 0 },
        video: { enabled: true },
        cache: { folder },
      };
      await using command = new CommandLine(['start'], config);
      await videoIsUp(await command.url());
      const client = await WireClient.open(await command.url(), undefined, {}, 'pieces');
      client.type('talk');
      await client.first('speaking_clip');
      const started = family(command.process.pid!);
      // Two processes of the video tier, and an ffmpeg at least.
      expect(started.length).toBeGreaterThanOrEqual(3);
      if (signal === 'SIGTERM') client.say({ type: 'bye' });
      command.process.kill(signal);
      await command.ended;
      await expect.poll(() => started.filter(runs), PATIENCE).toEqual([]);
      if (signal === 'SIGTERM') expect(readdirSync(join(folder, 'clips'))).toEqual([]);
      rmSync(folder, { recursive: true });
    });
  },
);
