import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type WebSocket, WebSocketServer } from 'ws';
import { encodeClipPiece, encodeFrame, MAX_PIECE_BYTES } from '../../src/protocol/frames.ts';
import type { AvatarView, ClientMessage, LoopName, ServerMessage } from '../../src/protocol/messages.ts';
import { readPageFiles } from '../../src/server/page-files.ts';

export const RATE = 16_000;
const PAGE = fileURLToPath(new URL('../../dist/client', import.meta.url));
const MIME = 'video/mp4; codecs="avc1.42C01F, mp4a.40.2"';

/** Whether ffmpeg is on the path of this machine. */
export const FFMPEG = ['/usr/bin/ffmpeg', '/usr/local/bin/ffmpeg'].find(existsSync);

/** Colours that tell loops and clip apart on a screenshot. */
export const COLOURS = {
  picture: '#808080',
  idle: '#00a000',
  listening: '#2040c0',
  thinking: '#d08000',
} as const;

type Answer = { status: number; body: object };

/**
 * A server that speaks the wire, does only what a test tells it, and has an avatar whose picture and loops are of one colour
 * each and whose clips are a moving test picture.
 */
export class StandIn {
  readonly url: string;
  readonly folder: string;
  readonly messages: ClientMessage[] = [];
  /** What the pages have sent to /api/avatar, and what they are answered. */
  readonly requests: { method: string; path: string; type: string; bytes: number }[] = [];
  put: Answer = { status: 422, body: {} };
  #socket: WebSocket | undefined;
  readonly #server: Server;
  readonly #avatar: AvatarView | undefined;
  #sequence = 0;

  private constructor(server: Server, folder: string, avatar: AvatarView | undefined) {
    this.#server = server;
    this.folder = folder;
    this.#avatar = avatar;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }

  static async start(loops: readonly LoopName[] | undefined): Promise<StandIn> {
    const folder = mkdtempSync(join(tmpdir(), 'voice-chat-face-'));
    const avatar = loops && avatarOf('aa11', loops);
    if (avatar) drawAvatar(folder, loops);
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const standIn = new StandIn(server, folder, avatar);
    const files = readPageFiles(PAGE);
    server.on('request', (request, response) => void standIn.#answer(files, request, response));
    new WebSocketServer({ server, path: '/ws/chat' }).on('connection', (socket) => standIn.#meet(socket));
    return standIn;
  }

  async stop(): Promise<void> {
    this.#socket?.terminate();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.folder, { recursive: true, force: true });
  }

  send(message: ServerMessage): void {
    this.#socket!.send(JSON.stringify(message));
  }

  /** A reply begins to sound: `seconds` of a quiet tone. */
  speak(turn: number, seconds: number): void {
    this.send({ type: 'reply_text', turn, text: 'Something to say. ' });
    this.send({ type: 'state', state: 'speaking', turn });
    const step = RATE / 10;
    for (let position = 0; position < seconds * RATE; position += step) {
      const samples = Float32Array.from({ length: step }, (_, i) => 0.1 * Math.sin((position + i) / 10));
      this.#socket!.send(encodeFrame({ kind: 'speech', sequence: this.#sequence++, turn, position, samples }));
    }
  }

  end(turn: number, seconds: number): void {
    this.send({ type: 'reply_done', turn, samples: seconds * RATE });
  }

  announceClip(turn: number): void {
    const url = `/clips/${turn}.mp4`;
    this.send({ type: 'speaking_clip', turn, clip: `${turn}`, url, mime: MIME, width: 256, height: 256, fps: 25 });
  }

  /** The clip's bytes `from` to `to`, all of them if left out, in pieces. */
  sendClip(turn: number, clip: Buffer, from = 0, to = clip.length): void {
    for (let position = from; position < to; position += MAX_PIECE_BYTES) {
      const bytes = clip.subarray(position, Math.min(to, position + MAX_PIECE_BYTES));
      const last = position + bytes.length === clip.length;
      this.#socket!.send(encodeClipPiece({ sequence: this.#sequence++, turn, position, last, bytes }));
    }
  }

  finishClip(turn: number, clip: Buffer, seconds: number): void {
    this.send({ type: 'clip_done', turn, clip: `${turn}`, bytes: clip.length, seconds, url: `/clips/${turn}.mp4` });
  }

  /** A clip of a test picture and a tone, in fragments of 200 ms. */
  clip(seconds: number): Buffer {
    const file = join(this.folder, `clip-${seconds}.mp4`);
    if (!existsSync(file)) {
      ffmpeg(
        ...['-f', 'lavfi', '-i', `testsrc2=size=256x256:rate=25:duration=${seconds}`],
        ...['-f', 'lavfi', '-i', `sine=frequency=300:sample_rate=48000:duration=${seconds}`],
        ...['-c:v', 'libx264', '-profile:v', 'baseline', '-pix_fmt', 'yuv420p', '-g', '10', '-preset', 'ultrafast'],
        ...['-c:a', 'aac', '-movflags', 'frag_keyframe+empty_moov+default_base_moof', '-frag_duration', '200000'],
        file,
      );
    }
    return readFileSync(file);
  }

  #meet(socket: WebSocket): void {
    this.#socket = socket;
    socket.on('message', (data, binary) => {
      if (binary) return;
      const message = JSON.parse(`${data}`) as ClientMessage;
      this.messages.push(message);
      if (message.type === 'hello') this.send(welcome(this.#avatar));
      if (message.type === 'ping') this.send({ type: 'pong', id: message.id });
      if (message.type === 'interrupt') this.send({ type: 'state', state: 'listening', turn: 0 });
    });
  }

  async #answer(files: ReturnType<typeof readPageFiles>, request: IncomingMessage, response: ServerResponse) {
    const { pathname } = new URL(request.url!, this.url);
    const page = files.get(pathname);
    if (page) return void response.setHeader('Content-Type', page.type).end(page.body);
    if (pathname.startsWith('/api/')) return this.#answerApi(request, response);
    const clip = /^\/clips\/\d+\.mp4$/.test(pathname) ? this.clip(6) : undefined;
    const file = join(this.folder, pathname.slice(1).replaceAll('/', '-'));
    if (!clip && !existsSync(file)) return void response.writeHead(404).end();
    const type = pathname.endsWith('.png') ? 'image/png' : 'video/mp4';
    response.setHeader('Content-Type', type).end(clip ?? readFileSync(file));
  }

  async #answerApi(request: IncomingMessage, response: ServerResponse) {
    let bytes = 0;
    for await (const chunk of request) bytes += (chunk as Buffer).length;
    const type = request.headers['content-type'] ?? '';
    this.requests.push({ method: request.method!, path: request.url!, type, bytes });
    const list = ['aa11', 'bb22'].map((id, i) => ({ id, name: `Face ${i + 1}`, picture: PICTURE, preset: i === 0 }));
    const answer = request.method === 'PUT' ? this.put : { status: 200, body: { avatar: this.#avatar, avatars: list } };
    response.writeHead(answer.status, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer.body));
  }
}

const PICTURE = '/avatars/picture.png';

/** An avatar as the wire has it. */
export function avatarOf(id: string, loops: readonly LoopName[]): AvatarView {
  const addresses = loops.map((name) => [name, `/avatars/${name}.mp4`]);
  return { id, name: 'Face 1', picture: PICTURE, loops: Object.fromEntries(addresses) };
}

function drawAvatar(folder: string, loops: readonly LoopName[]): void {
  const colour = (hex: string, seconds: number) => [
    '-f',
    'lavfi',
    '-i',
    `color=${hex}:size=256x256:rate=25:d=${seconds}`,
  ];
  ffmpeg(...colour(COLOURS.picture, 1), '-frames:v', '1', join(folder, 'avatars-picture.png'));
  for (const name of loops) {
    if (!(name in COLOURS)) continue;
    const file = join(folder, `avatars-${name}.mp4`);
    ffmpeg(...colour(COLOURS[name as keyof typeof COLOURS], 2), '-pix_fmt', 'yuv420p', '-movflags', '+faststart', file);
  }
}

function ffmpeg(...args: string[]): void {
  execFileSync(FFMPEG!, ['-loglevel', 'error', '-y', ...args], { timeout: 60_000 });
}

function welcome(avatar: AvatarView | undefined): ServerMessage {
  return {
    type: 'welcome',
    version: 1,
    session: 'stand-in',
    token: 'next',
    resumed: false,
    micRate: 16_000,
    speechRate: RATE,
    engines: { vad: 'none', asr: 'none', llm: 'none', tts: 'none' },
    voices: ['one'],
    voice: { name: 'one', speed: 1 },
    lines: [],
    ...(avatar && { avatar }),
  };
}
