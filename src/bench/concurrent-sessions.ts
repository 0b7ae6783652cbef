import { setTimeout as sleep } from 'node:timers/promises';
import { MIC_FRAME, MIC_RATE } from '../protocol/pcm.ts';
import { ChatClient } from './chat-client.ts';
import type { Row, Say } from './row.ts';
import { type ServerProcess, scriptedConfig, startServerProcess } from './server-process.ts';
import { synthesised } from './synthesised.ts';

const STEPS = [25, 50, 100, 150, 200, 300, 400];
const WARM_MS = 3_000;
const MEASURE_MS = 8_000;
/** For frames on their way when the microphones stop. */
const ARRIVE_MS = 5_000;
const FRAME_MS = (MIC_FRAME / MIC_RATE) * 1000;
/** Bounds of a step that holds: lag; frames that wait for the detector per microphone; share of real time that was sent. */
const LAG_MS = 20;
const WAITING = 2;
const REAL_TIME = 0.98;

type Load = { lagMs: number; lost: number; waiting: number; realTime: number };

/**
 * Live microphones at the same time, each with its own stream of speech and pauses through Silero, against the server's
 * event-loop lag and the count of frames from the clients' sockets to the detector. The load is made on the same machine, so
 * that the server has less than all of it; a step has broken when it fails twice.
 */
export async function concurrentSessions(say: Say): Promise<Row[]> {
  const speech = await synthesised('How much is seven times eight? Tell me the time, please.');
  let held = 0;
  for (const count of STEPS) {
    if ((await holds(count, speech, say)) || (await holds(count, speech, say))) held = count;
    else {
      say(`It breaks at ${count} microphones.`);
      break;
    }
  }
  return [{ id: 'sessions', unit: 'sessions', n: STEPS.length, value: held, bar: '≥ 100', ok: held >= 100 }];
}

async function holds(count: number, speech: Float32Array, say: Say): Promise<boolean> {
  const { lagMs, lost, waiting, realTime } = await measure(count, speech);
  const speed = `${(100 * realTime).toFixed(1)} % of real time sent`;
  say(`${count}: lag p99 ${lagMs.toFixed(1)} ms, ${lost} frames lost, ${waiting.toFixed(2)} waiting per mic, ${speed}`);
  return lagMs < LAG_MS && lost === 0 && waiting <= WAITING && realTime >= REAL_TIME;
}

async function measure(count: number, speech: Float32Array): Promise<Load> {
  const limits = { sessions: count + 1 };
  await using server = await startServerProcess(
    scriptedConfig({ vad: { engine: 'silero' }, limits, asr: { engine: 'scripted', texts: [''] } }),
  );
  const clients: ChatClient[] = [];
  for (let i = 0; i < count; i++) {
    const client = await ChatClient.open(server.url);
    client.send({ type: 'mic', mode: 'open' });
    // Looked after seldom enough that making the load does not take the machine from the server.
    client.startMic(FRAME_MS / 2);
    clients.push(client);
    await sleep(5);
  }
  const talk = setInterval(() => {
    for (const client of clients) if (Math.random() < 1 / 3) client.say(speech);
  }, 4_000);
  await sleep(WARM_MS);
  await server.metric('voicechat_eventloop_lag_p99_seconds');
  const [began, before] = [performance.now(), sent(clients)];
  await sleep(MEASURE_MS);
  const due = ((performance.now() - began) / FRAME_MS) * count;
  const realTime = (sent(clients) - before) / due;
  // Each scrape begins a new window of lag, so it comes first.
  const lagMs = (await server.metric('voicechat_eventloop_lag_p99_seconds')) * 1000;
  const waiting = (await server.metric('voicechat_mic_frames_waiting')) / count;
  clearInterval(talk);
  for (const client of clients) client.stopMic();
  const lost = await lostFrames(server, clients);
  for (const client of clients) client.close();
  return { lagMs, lost, waiting, realTime };
}

const sent = (clients: readonly ChatClient[]): number => clients.reduce((sum, { framesSent }) => sum + framesSent, 0);

/** Frames that were sent but never reached the detector, once those on their way have had time to. */
async function lostFrames(server: ServerProcess, clients: readonly ChatClient[]): Promise<number> {
  const until = performance.now() + ARRIVE_MS;
  const waiting = () => server.metric('voicechat_mic_frames_waiting');
  const missing = async () => sent(clients) - (await server.metric('voicechat_mic_frames_total'));
  while (((await missing()) > 0 || (await waiting()) > 0) && performance.now() < until) await sleep(100);
  return (await missing()) + (await waiting()) + (await server.metric('voicechat_mic_frames_dropped'));
}
