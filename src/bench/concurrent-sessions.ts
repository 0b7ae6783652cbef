import { setTimeout as sleep } from 'node:timers/promises';
import { ChatClient } from './chat-client.ts';
import type { Row, Say } from './row.ts';
import { scriptedConfig, startServerProcess } from './server-process.ts';
import { synthesised } from './synthesised.ts';

const STEPS = [25, 50, 100, 150, 200, 300, 400];
const WARM_MS = 3_000;
const MEASURE_MS = 8_000;

/**
 * Live microphones at the same time, each with its own stream of speech and pauses through Silero, against the server's
 * event-loop lag and its count of frames. The load is made on the same machine, so that the server has less than all of it.
 */
export async function concurrentSessions(say: Say): Promise<Row[]> {
  const speech = await synthesised('How much is seven times eight? Tell me the time, please.');
  let held = 0;
  let broke: string | undefined;
  for (const count of STEPS) {
    const { lagMs, lost, waiting } = await measure(count, speech);
    say(
      `${count} microphones: event-loop lag p99 ${lagMs.toFixed(1)} ms, frames lost ${lost}, waiting at the end ${waiting}`,
    );
    if (lagMs < 20 && lost === 0 && waiting < count * 4) held = count;
    else {
      broke = `${count}`;
      break;
    }
  }
  if (broke) say(`It breaks at ${broke} microphones.`);
  return [{ id: 'sessions', unit: 'sessions', n: STEPS.length, value: held, bar: '≥ 100', ok: held >= 100 }];
}

async function measure(count: number, speech: Float32Array): Promise<{ lagMs: number; lost: number; waiting: number }> {
  const limits = { sessions: count + 1 };
  await using server = await startServerProcess(
    scriptedConfig({ vad: { engine: 'silero' }, limits, asr: { engine: 'scripted', texts: [''] } }),
  );
  const clients: ChatClient[] = [];
  for (let i = 0; i < count; i++) {
    const client = await ChatClient.open(server.url);
    client.send({ type: 'mic', mode: 'open' });
    client.startMic();
    clients.push(client);
    await sleep(5);
  }
  const talk = setInterval(() => {
    for (const [i, client] of clients.entries()) if (i % 3 === Math.floor(Math.random() * 3)) client.say(speech);
  }, 4_000);
  await sleep(WARM_MS);
  await server.metric('voicechat_eventloop_lag_p99_seconds');
  await sleep(MEASURE_MS);
  const lagMs = (await server.metric('voicechat_eventloop_lag_p99_seconds')) * 1000;
  const waiting = await server.metric('voicechat_mic_frames_waiting');
  const gaps = await server.metric('voicechat_mic_frames_lost_total');
  const lost = gaps + (await server.metric('voicechat_mic_frames_dropped'));
  clearInterval(talk);
  for (const client of clients) client.close();
  return { lagMs, lost, waiting };
}
