import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket, WebSocketServer } from 'ws';
import { decodeClipPiece, encodeFrame, FRAME_KIND } from '../protocol/frames.ts';
import { ClipSender } from '../server/clip-sender.ts';
import { ChatClient } from './chat-client.ts';
import { type Row, type Say, spread } from './row.ts';
import { scriptedConfig, startServerProcess } from './server-process.ts';
import { type LineMessage, openSlowLine, type SlowLine } from './slow-line.ts';

const BITS_PER_SECOND = 20_000_000;
const REPLIES = 3;
const BINARY = 2;
const BAR = 'p95 ≤ 20, worst ≤ 120';

/**
 * How much later speech leaves a line of 20 Mbit/s because a clip is on it: each speech frame's time on the line, less the same
 * frame's in the same conversation without clips. First with the whole server and its own clips; then with a clip of 4 MB that
 * is there at once, by the server's sender alone, whose baseline (p95) is that clip sent as one message.
 */
export async function clipAudioDelay(say: Say): Promise<Row[]> {
  const whole = await withServer(say);
  const [without, pieces, atOnce] = [
    await withSender('no clip'),
    await withSender('pieces'),
    await withSender('at once'),
  ];
  const large = spread(added(pieces, without));
  const plain = spread(added(atOnce, without));
  say(`4 MB: p95 ${large.p95} ms in pieces, ${plain.p95} ms as one message`);
  return [
    ...(whole ? [row('clip-audio-delay', whole)] : []),
    { ...row('clip-audio-delay-4mb', large), baseline: plain.p95! },
  ];
}

const row = (id: string, figures: ReturnType<typeof spread>): Row => ({
  id,
  unit: 'ms',
  ...figures,
  bar: BAR,
  ok: figures.p95! <= 20 && figures.worst! <= 120,
});

/** Times on the line of speech frames, by turn and position. */
type Delays = Map<string, number>;

/** By how much the speech frames of one run were later than those of another. */
const added = (run: Delays, baseline: Delays): number[] =>
  [...run].flatMap(([frame, ms]) => (baseline.has(frame) ? [ms - baseline.get(frame)!] : []));

const speechDelays = (messages: readonly LineMessage[]): Delays =>
  new Map(
    messages
      .filter(({ opcode, head }) => opcode === BINARY && head[0] === FRAME_KIND.speech)
      .map(({ head, delayMs }) => [`${head.readUInt32LE(4)}:${head.readUInt32LE(8)}`, delayMs]),
  );

async function withServer(say: Say): Promise<ReturnType<typeof spread> | undefined> {
  const without = await conversation(false);
  const clips = await conversation(true);
  const bytes = clips.clipBytes.reduce((sum, one) => sum + one, 0);
  if (bytes === 0) {
    say(`clip-audio-delay is not measured with the whole server, which made no clips: ${clips.log.join(' ')}`);
    return undefined;
  }
  say(`${clips.clipBytes.length} clips, ${Math.round(bytes / 1000)} kB, came in pieces while replies were sent`);
  return spread(added(clips.delays, without.delays));
}

/** The same replies, spoken with or without clips. */
async function conversation(enabled: boolean): Promise<{ delays: Delays; clipBytes: number[]; log: string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'voice-chat-'));
  const reply = Array.from({ length: 80 }, () => 'words').join(' ');
  const config = scriptedConfig({
    llm: { engine: 'scripted', replies: [`${reply}.`] },
    video: { enabled },
    cache: { folder },
  });
  try {
    await using server = await startServerProcess(config);
    await using line = await openSlowLine(server.url, BITS_PER_SECOND);
    const client = await ChatClient.open(line.url, undefined, 'regular', enabled ? 'pieces' : undefined);
    if (enabled) await videoIsUp(server.url);
    const clipBytes: number[] = [];
    for (let turn = 1; turn <= REPLIES; turn++) {
      const ended = client.nextThat((message) => message.type === 'reply_done');
      const clip = enabled ? clipOf(client) : undefined;
      client.send({ type: 'text', text: 'Talk to me.' });
      await ended;
      const bytes = await clip;
      if (bytes !== undefined) clipBytes.push(bytes);
    }
    client.close();
    return { delays: speechDelays(line.messages), clipBytes, log: server.log };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The length of the next clip that is complete; undefined if none comes. */
async function clipOf(client: ChatClient): Promise<number | undefined> {
  const over = client.nextThat(
    (message) => message.type === 'clip_done' || (message.type === 'error' && message.code === 'video_failed'),
  );
  const message = await over.then(
    (arrived) => arrived.message,
    () => undefined,
  );
  return message?.type === 'clip_done' ? message.bytes : undefined;
}

/** Waits until the server says that clips can be made. */
async function videoIsUp(url: string): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    const { video } = (await (await fetch(`${url}/healthz`)).json()) as { video?: { state: string } };
    if (video?.state === 'up' || video?.state === 'failed') return;
    await sleep(100);
  }
}

const RATE = 24_000;
const CHUNK_MS = 20;
const SPEECH_MS = 4_000;
const CLIP_BYTES = 4_000_000;

/** Four seconds of speech in real time, and a large clip that is there from the beginning. */
async function withSender(how: 'no clip' | 'pieces' | 'at once'): Promise<Delays> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await using line: SlowLine = await openSlowLine(`http://127.0.0.1:${port}`, BITS_PER_SECOND);
  const accepted = once(server, 'connection') as Promise<[WebSocket]>;
  const client = new WebSocket(line.url.replace('http', 'ws'));
  const [socket] = await accepted;
  const sender = new ClipSender(socket);
  let received = 0;
  let spoken = 0;
  client.on('message', (data: Buffer) => {
    const piece = decodeClipPiece(data);
    if (data[0] === FRAME_KIND.speech) spoken++;
    if (!piece) return;
    received += piece.bytes.length;
    client.send(String(received));
  });
  socket.on('message', (data: Buffer) => sender.received(1, Number(data)));
  const clip = new Uint8Array(CLIP_BYTES);
  if (how === 'pieces') {
    sender.begin(1);
    sender.push(1, clip);
    sender.end(1, () => {});
  } else if (how === 'at once') socket.send(clip);
  const started = performance.now();
  const samples = new Float32Array((CHUNK_MS * RATE) / 1000);
  const chunks = SPEECH_MS / CHUNK_MS;
  for (let i = 0; i < chunks; i++) {
    await sleep(Math.max(0, started + i * CHUNK_MS - performance.now()));
    const frame = encodeFrame({ kind: 'speech', sequence: i, turn: 1, position: i * samples.length, samples });
    socket.send(frame, () => sender.drained());
  }
  while (spoken < chunks) await sleep(10);
  client.terminate();
  server.close();
  return speechDelays(line.messages);
}
