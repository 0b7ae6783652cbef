import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeHub } from '../../src/bench/fake-hub.ts';
import { parseConfig } from '../../src/server/config.ts';
import { MUSETALK_MODEL } from '../../src/server/models/manifest-video.ts';
import type * as CommandModule from '../../src/server/models-command.ts';
import type { Box, Face, Picture } from '../../src/server/video/contracts.ts';
import { readPicture } from '../../src/server/video/pictures/read-picture.ts';
import { built } from '../fixtures/built.ts';
import { childrenNamed, isAlive } from '../fixtures/children.ts';
import { tinySources } from '../fixtures/musetalk/tiny-sources.ts';
import { HAS_FFMPEG, sentence, startVideoServer, type VideoServer, videoProcesses } from '../fixtures/video-server.ts';
import { WireClient } from '../fixtures/wire-client.ts';

const PRESETS = fileURLToPath(new URL('../../src/server/video/avatars/presets', import.meta.url));
const AVATAR = 'mara';
const lacking = !HAS_FFMPEG ? 'there is no ffmpeg' : !hasOnnx() ? 'onnxruntime-node is not installed' : '';

function hasOnnx(): boolean {
  try {
    createRequire(import.meta.url).resolve('onnxruntime-node');
    return true;
  } catch {
    return false;
  }
}

/** MuseTalk's processes, which the video tier's have started. */
async function paintingProcesses(): Promise<number[]> {
  const parents = await videoProcesses();
  return (await Promise.all(parents.map((parent) => childrenNamed('node', parent)))).flat();
}

/** The frames of an MP4, as ffmpeg decodes them. */
function framesOf(file: string, size: number): Picture[] {
  const args = ['-v', 'error', '-i', file, '-fps_mode', 'passthrough', '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'];
  const { stdout } = spawnSync('ffmpeg', args, { maxBuffer: 2 ** 30 });
  const each = 3 * size * size;
  return Array.from({ length: stdout.length / each }, (_, i) => ({
    ...{ width: size, height: size },
    rgb: stdout.subarray(i * each, (i + 1) * each),
  }));
}

/** How far two pictures lie apart in a part of them, on average, in levels of 0 to 255. */
function apart(one: Picture, other: Picture, { x, y, width, height }: Box): number {
  let sum = 0;
  for (let row = Math.round(y); row < y + height; row++) {
    for (let i = 3 * Math.round(x); i < 3 * (x + width); i++) {
      sum += Math.abs(one.rgb[3 * row * one.width + i]! - other.rgb[3 * row * other.width + i]!);
    }
  }
  return sum / (3 * Math.round(width) * Math.round(height));
}

/** The clip that a client got shows the avatar all the while, with something else where its mouth is. */
async function expectPainted({ pieces }: WireClient, seconds: number): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'voice-chat-clip-'));
  const file = join(scratch, 'clip.mp4');
  await writeFile(file, Buffer.concat(pieces.map(({ bytes }) => bytes)));
  const frames = framesOf(file, 512);
  await rm(scratch, { recursive: true });
  expect(frames).toHaveLength(Math.ceil(seconds * 25));
  const still = await readPicture(await readFile(join(PRESETS, `${AVATAR}.png`)));
  const { face } = JSON.parse(await readFile(join(PRESETS, `${AVATAR}.json`), 'utf8')) as { face: Face };
  const { x, y, width, height } = face.box;
  const mouth = { x: x + width / 4, y: y + 0.7 * height, width: width / 2, height: height / 5 };
  const corner = { x: 0, y: 0, width: 80, height: 80 };
  // Mouth shapes move it by less; the tiny networks paint what is no mouth at all.
  expect(Math.min(...frames.map((frame) => apart(frame, still, mouth)))).toBeGreaterThan(20);
  expect(Math.max(...frames.map((frame) => apart(frame, still, corner)))).toBeLessThan(6);
}

describe.skipIf(lacking !== '')(`a server whose faces MuseTalk paints (${lacking || 'with tiny networks'})`, () => {
  let scratch: string;
  let server: VideoServer;
  let pulled: { code: number; screen: string; output: string };

  /** A server that says the same few words and shows the same face. */
  const startPainting = async (over: Record<string, object>, lipSync: object) => {
    const started = await startVideoServer({
      llm: { engine: 'scripted', replies: [sentence(8)] },
      video: { enabled: true, avatar: AVATAR, lipSync },
      ...over,
    });
    await started.isUp();
    return started;
  };

  /** `voice-chat models pull musetalk`, of a hub that has tiny networks under that name. */
  async function pull(cache: string) {
    const { modelsCommand } = await built<typeof CommandModule>('server/models-command.js');
    await mkdir(cache, { recursive: true });
    const hub = await FakeHub.start();
    const sources = Object.entries(await tinySources(scratch));
    const files = sources.map(([role, file]) => ({ role, path: basename(file), restricted: file.endsWith('.pth') }));
    for (const [, file] of sources) hub.put(MUSETALK_MODEL.repo, basename(file), await readFile(file));
    const models = { folder: join(scratch, 'hub'), hub: hub.url };
    const config = parseConfig(JSON.stringify({ models, cache: { folder: cache } }));
    let [screen, output] = ['', ''];
    const context = {
      config,
      json: false,
      models: [{ ...MUSETALK_MODEL, revision: 'main', files, totalBytes: 1_000_000 }],
      screen: { write: (text: string) => (screen += text) },
      output: { write: (text: string) => (output += text) },
    };
    try {
      return { code: await modelsCommand(['pull', 'musetalk'], context, AbortSignal.timeout(100_000)), screen, output };
    } finally {
      await hub[Symbol.asyncDispose]();
    }
  }

  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'voice-chat-musetalk-'));
    const cache = join(scratch, 'cache');
    pulled = await pull(cache);
    server = await startPainting({ cache: { folder: cache } }, { engine: 'musetalk', device: 'cpu' });
    while (!server.log.some((line) => line.includes('MuseTalk paints the mouths now'))) await sleep(100);
  }, 120_000);
  afterAll(async () => {
    await rm(scratch, { recursive: true, force: true });
  });

  const open = () => WireClient.open(server.url, undefined, {}, 'pieces');

  it('gets its networks by a pull, which converts them and says how far it is', () => {
    expect(pulled.code).toBe(0);
    expect(pulled.screen).toMatch(/ \d+ % {2}converting: speech\n/);
    expect(pulled.screen).toMatch(/100 % {2}converting: check\n/);
    expect(pulled.output).toMatch(/^musetalk is here: \S+, converted: \S+musetalk\S+converted\n$/);
  });

  it('says where it computes and what that takes, before it does, and that it paints the mouths now', async () => {
    const health = (await (await fetch(`${server.url}/healthz`)).json()) as { video: { lipSync: string } };
    expect(health.video.lipSync).toBe('musetalk');
    const log = server.log.join('\n');
    expect(log).toMatch(/INFO +video {2}MuseTalk computes on the CPU/);
    expect(log).toMatch(/INFO +video {2}MuseTalk takes \d+\.\d GB of memory on the CPU, and \d+\.\d GB are free\./);
    expect(log.indexOf('MuseTalk takes')).toBeLessThan(log.indexOf('MuseTalk paints the mouths now'));
  });

  it('speaks a reply with a painted mouth, and leaves the rest of the picture as it was', async () => {
    const client = await open();
    const turn = await client.chat('hello');
    const { bytes, seconds } = await client.first('clip_done');
    expect(client.clipBytes(turn)).toBe(bytes);
    await expectPainted(client, seconds);
    client.drop();
  });

  it('stops at once when the reply is cut, and is free for the next', async () => {
    const client = await open();
    client.acknowledges = false;
    client.type('hello');
    const { turn } = await client.first('speaking_clip');
    while (client.pieces.length === 0) await client.more();
    client.say({ type: 'interrupt' });
    await client.first('flush');
    const before = client.pieces.length;
    client.say({ type: 'clip_received', turn, bytes: client.clipBytes(turn) });
    client.say({ type: 'played', turn, samples: 0, final: true });
    client.say({ type: 'ping', id: 1 });
    await client.first('pong');
    expect(client.pieces).toHaveLength(before);
    client.acknowledges = true;
    const next = await client.chat('and now');
    expect(await client.first('clip_done')).toMatchObject({ turn: next, bytes: client.clipBytes(next) });
    client.drop();
  });

  it('lends its painting to another one, which sends it no more than head and shoulders', async () => {
    await using borrower = await startPainting({}, { engine: 'remote', baseUrl: server.url, token: '' });
    const client = await WireClient.open(borrower.url, undefined, {}, 'pieces');
    await client.chat('hello');
    const { seconds } = await client.first('clip_done');
    await expectPainted(client, seconds);
    client.drop();
  });

  it.skipIf(!existsSync('/proc/self/stat'))(
    'loses one clip and no word when MuseTalk’s process dies, and has the next (skipped where there is no /proc)',
    async () => {
      const client = await open();
      client.type('hello');
      const { turn } = await client.first('speaking_clip');
      const processes = await paintingProcesses();
      expect(processes.length).toBeGreaterThan(0);
      for (const pid of processes) process.kill(pid, 'SIGKILL');
      const error = await client.first('error');
      expect(error).toMatchObject({ code: 'video_failed', stage: 'video', turn });
      await client.hearAll(turn);
      expect(client.of('clip_done')).toEqual([]);
      expect(client.samples(turn)).toBe(client.of('reply_done')[0]!.samples);
      const next = await client.chat('and now');
      expect(await client.first('clip_done')).toMatchObject({ turn: next });
      client.drop();
    },
  );

  it('says once where it computes, though two of its processes do and one began anew', () => {
    expect(server.log.filter((line) => line.includes('MuseTalk computes on'))).toHaveLength(1);
  });

  it('leaves no process when it ends', async () => {
    const processes = [...(await videoProcesses()), ...(await paintingProcesses())];
    await server[Symbol.asyncDispose]();
    const alive = async () => (await Promise.all(processes.map(isAlive))).filter((is) => is).length;
    await expect.poll(alive, { timeout: 10_000 }).toBe(0);
  });
});

describe.skipIf(!HAS_FFMPEG)('a server that is to use MuseTalk and has none (skipped where there is no ffmpeg)', () => {
  it('says once how to get it, and speaks with mouth shapes', async () => {
    await using server = await startVideoServer({ video: { enabled: true, lipSync: { engine: 'musetalk' } } });
    await server.isUp();
    const client = await WireClient.open(server.url, undefined, {}, 'pieces');
    const turn = await client.chat('hello');
    expect(await client.first('clip_done')).toMatchObject({ turn });
    const warnings = server.log.filter((line) => /WARN +video /.test(line));
    expect(warnings).toEqual([expect.stringMatching(/voice-chat models pull musetalk.*visemes/)]);
    const health = (await (await fetch(`${server.url}/healthz`)).json()) as { video: { lipSync: string } };
    expect(health.video.lipSync).toBe('visemes');
    client.drop();
  });
});
