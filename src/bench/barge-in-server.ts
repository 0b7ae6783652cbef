import { setTimeout as sleep } from 'node:timers/promises';
import { ChatClient } from './chat-client.ts';
import { type Row, type Say, spread } from './row.ts';
import { scriptedConfig, startServerProcess } from './server-process.ts';
import { realUtterances, type Utterance } from './speech-set.ts';

const TIMES = 100;
const AT_ONCE = 4;

/**
 * Real speech over a playing reply: from its onset in the microphone stream to `flush` on the socket, with Silero.
 * The baseline is the median with a plain energy detector in Silero's place.
 */
export async function bargeInServer(say: Say): Promise<Row[]> {
  const utterances = realUtterances(25, 4);
  if (utterances.length === 0) {
    say('barge-in-server is not measured: the recordings (../shared/data) are not here.');
    return [];
  }
  const figures = spread(await measure('silero', utterances));
  const energy = spread(await measure('scripted', utterances));
  return [
    {
      id: 'barge-in-server',
      unit: 'ms',
      ...figures,
      baseline: energy.p50!,
      bar: 'p50 ≤ 150, p95 ≤ 250',
      ok: figures.p50! <= 150 && figures.p95! <= 250,
    },
  ];
}

async function measure(engine: 'silero' | 'scripted', utterances: readonly Utterance[]): Promise<number[]> {
  const reply = Array.from({ length: 400 }, () => 'words').join(' ');
  const config = scriptedConfig({ vad: { engine }, llm: { engine: 'scripted', replies: [`${reply}.`] } });
  await using server = await startServerProcess(config);
  const one = async (index: number): Promise<number[]> => {
    const client = await ChatClient.open(server.url);
    client.send({ type: 'mic', mode: 'open' });
    client.startMic();
    const times: number[] = [];
    for (let i = index; i < TIMES; i += AT_ONCE) {
      const { samples, onset } = utterances[i % utterances.length]!;
      const speaking = client.nextThat((message) => message.type === 'state' && message.state === 'speaking');
      client.send({ type: 'text', text: 'Talk to me.' });
      await speaking;
      await sleep(300 + 37 * (i % 10));
      const flushed = client.next('flush');
      const spokenAt = client.say(samples);
      times.push((await flushed).at - spokenAt(onset));
      // The rest of the utterance, its reply, and quiet before the next.
      await sleep(spokenAt(samples.length) - performance.now() + 600);
      client.send({ type: 'interrupt' });
      await sleep(300);
    }
    client.close();
    return times;
  };
  return (await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => one(index)))).flat();
}
