import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { Connection, type ConnectionStatus, retryDelayMs, type Socket } from '../../../src/client/connection.ts';
import { type ClipPiece, decodeFrame, encodeClipPiece, encodeFrame } from '../../../src/protocol/frames.ts';
import type { ServerMessage } from '../../../src/protocol/messages.ts';
import { Queue } from '../../../src/server/async/queue.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A server that shows its sockets, and a page's connection to it. */
async function pair(clips?: 'pieces' | 'url') {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  const sockets = new Queue<Peer>();
  server.on('connection', (socket) => sockets.push(new Peer(socket)));
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const statuses = new Queue<ConnectionStatus>();
  const messages = new Queue<ServerMessage>();
  const speech = new Queue<{ turn: number; position: number; samples: Float32Array }>();
  const pieces = new Queue<ClipPiece>();
  let token: string | undefined;
  const connection = new Connection(
    () => new WebSocket(`ws://127.0.0.1:${port}`) as unknown as Socket,
    {
      get: () => token,
      set: (now) => {
        token = now;
      },
    },
    {
      onMessage: (message) => messages.push(message),
      onSpeech: (frame) => speech.push(frame),
      onClipPiece: (piece) => pieces.push(piece),
      onStatus: (status) => statuses.push(status),
    },
    clips,
  );
  closing.push(() => {
    connection.close();
    for (const client of server.clients) client.terminate();
    server.close();
  });
  connection.open();
  const next = <T>(queue: Queue<T>) => nextOf(queue);
  return { connection, sockets, statuses, messages, speech, pieces, next, token: () => token };
}

async function nextOf<T>(queue: Queue<T>): Promise<T> {
  for await (const item of queue) return item;
  throw new Error('The queue has ended.');
}

class Peer {
  readonly socket: WebSocket;
  readonly received = new Queue<unknown>();

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data: Buffer, binary) =>
      this.received.push(binary ? decodeFrame(data) : JSON.parse(`${data}`)),
    );
  }

  welcome(token: string, resumed = false): void {
    const engines = { vad: '', asr: '', llm: '', tts: '' };
    const rates = { micRate: 16_000, speechRate: 24_000 };
    this.socket.send(
      JSON.stringify({ type: 'welcome', version: 1, session: 's', token, resumed, engines, lines: [], ...rates }),
    );
  }
}

async function ready(status: Queue<ConnectionStatus>): Promise<void> {
  for await (const each of status) if (each.state === 'ready') return;
}

describe('the connection', () => {
  test('says hello first, is ready after the welcome, and sends nothing before it', async () => {
    const { connection, sockets, statuses, next } = await pair();
    const peer = await next(sockets);
    expect(await next(peer.received)).toEqual({ type: 'hello', version: 1 });
    expect(connection.send({ type: 'text', text: 'early' })).toBe(false);
    peer.welcome('one');
    await ready(statuses);
    expect(connection.send({ type: 'text', text: 'now' })).toBe(true);
    expect(await next(peer.received)).toEqual({ type: 'text', text: 'now' });
  });

  test('comes back by itself with the token of the last welcome', async () => {
    const { sockets, statuses, next, token } = await pair();
    const first = await next(sockets);
    first.welcome('one');
    await ready(statuses);
    first.socket.terminate();
    const second = await next(sockets);
    expect(await next(second.received)).toEqual({ type: 'hello', version: 1, token: 'one' });
    second.welcome('two', true);
    await ready(statuses);
    expect(token()).toBe('two');
  });

  test('numbers the frames of the microphone, anew for each socket', async () => {
    const { connection, sockets, statuses, next } = await pair();
    const first = await next(sockets);
    await next(first.received);
    first.welcome('one');
    await ready(statuses);
    connection.sendMic(new Float32Array(512).fill(0.5));
    connection.sendMic(new Float32Array(512));
    expect(await next(first.received)).toMatchObject({ kind: 'mic', sequence: 0, turn: 0, position: 0 });
    expect(await next(first.received)).toMatchObject({ kind: 'mic', sequence: 1, position: 512 });
    first.socket.terminate();
    const second = await next(sockets);
    await next(second.received);
    second.welcome('two', true);
    await ready(statuses);
    connection.sendMic(new Float32Array(512));
    expect(await next(second.received)).toMatchObject({ sequence: 0, position: 0 });
  });

  test('gives speech to the page and drops what it cannot read', async () => {
    const { sockets, speech, next } = await pair();
    const peer = await next(sockets);
    peer.welcome('one');
    peer.socket.send(new Uint8Array([9, 9, 9]));
    const samples = Float32Array.of(0.5, -0.5);
    peer.socket.send(encodeFrame({ kind: 'speech', sequence: 0, turn: 7, position: 480, samples }));
    expect(await next(speech)).toMatchObject({ turn: 7, position: 480, samples });
  });

  test('says how clips are to come, and gives their pieces to the page', async () => {
    const { sockets, pieces, next } = await pair('pieces');
    const peer = await next(sockets);
    expect(await next(peer.received)).toEqual({ type: 'hello', version: 1, clips: 'pieces' });
    peer.welcome('one');
    const piece = { sequence: 3, turn: 7, position: 16_384, last: true, bytes: Uint8Array.of(1, 2, 3) };
    peer.socket.send(encodeClipPiece(piece));
    expect(await next(pieces)).toEqual(piece);
  });

  test.each([
    [4001, 'taken over'],
    [4000, 'idle'],
    [1008, 'policy'],
  ])('stays away after code %d, until it is asked to come', async (code, reason) => {
    const { connection, sockets, statuses, next } = await pair();
    const first = await next(sockets);
    first.welcome('one');
    await ready(statuses);
    first.socket.close(code, reason);
    expect(await next(statuses)).toEqual({ state: 'closed', code, reason });
    connection.open();
    expect(await next(statuses)).toEqual({ state: 'connecting' });
    (await next(sockets)).welcome('two');
    await ready(statuses);
  });

  test('begins a new session without the old token', async () => {
    const { connection, sockets, statuses, next } = await pair();
    const first = await next(sockets);
    await next(first.received);
    first.welcome('one');
    await ready(statuses);
    connection.restart();
    expect(await next(first.received)).toEqual({ type: 'bye' });
    const second = await next(sockets);
    expect(await next(second.received)).toEqual({ type: 'hello', version: 1 });
    second.welcome('two');
    await ready(statuses);
  });
});

test('attempts come further and further apart, up to 8 s, and never all at once', () => {
  expect([0, 1, 2, 9].map((attempt) => retryDelayMs(attempt, 1))).toEqual([250, 500, 1000, 8000]);
  expect([0, 1, 2, 9].map((attempt) => retryDelayMs(attempt, 0))).toEqual([125, 250, 500, 4000]);
});
