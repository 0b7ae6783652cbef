import { WebSocket, WebSocketServer } from 'ws';
import { MIC_FRAME } from '../protocol/pcm.ts';
import { ChatClient } from './chat-client.ts';
import { type Row, type Say, spread } from './row.ts';
import { scriptedConfig, startServerProcess } from './server-process.ts';

const TURNS = 200;
/** Frames of a turn: speech enough to be believed, then silence enough to end the turn. */
const SPEECH_FRAMES = 4;
const SILENT_FRAMES = 4;

/**
 * Scripted engines without delay: from sending the microphone frame that ends the turn to the first reply audio at the
 * client, both ways over the socket included. The baseline is the round trip of an empty WebSocket server.
 */
export async function pipelineOverhead(_say: Say): Promise<Row[]> {
  await using server = await startServerProcess(
    scriptedConfig({
      turn: { endSilenceMs: SILENT_FRAMES * 32 },
      asr: { engine: 'scripted', texts: ['hello'] },
      llm: { engine: 'scripted', replies: ['Fine.'] },
      log: { level: 'warn' },
    }),
  );
  const client = await ChatClient.open(server.url);
  client.send({ type: 'mic', mode: 'open' });
  const times: number[] = [];
  for (let turn = 1; turn <= TURNS; turn++) {
    const over = client.next('reply_done', turn);
    // In real time, or the server would refuse it.
    for (let i = 0; i < SPEECH_FRAMES + SILENT_FRAMES; i++) {
      await new Promise((resolve) => setTimeout(resolve, 30));
      if (i === SPEECH_FRAMES + SILENT_FRAMES - 1) times.push(-performance.now());
      client.sendAudio(new Float32Array(MIC_FRAME).fill(i < SPEECH_FRAMES ? 0.3 : 0));
    }
    await over;
    times[turn - 1]! += client.replies.get(turn)!.firstAt;
    client.send({ type: 'played', turn, samples: client.replies.get(turn)!.samples, final: true });
  }
  client.close();
  const figures = spread(times);
  return [
    {
      id: 'pipeline-overhead',
      unit: 'ms',
      ...figures,
      baseline: await roundTrip(),
      bar: 'p50 ≤ 3, p99 ≤ 15',
      ok: figures.p50! <= 3 && figures.p99! <= 15,
    },
  ];
}

async function roundTrip(): Promise<number> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  server.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  const socket = new WebSocket(`ws://127.0.0.1:${port}`);
  await new Promise((resolve) => socket.once('open', resolve));
  const times: number[] = [];
  for (let i = 0; i < TURNS; i++) {
    const started = performance.now();
    socket.send(new Uint8Array(1024));
    await new Promise((resolve) => socket.once('message', resolve));
    times.push(performance.now() - started);
  }
  socket.close();
  server.close();
  return spread(times).p50!;
}
