import { setTimeout as sleep } from 'node:timers/promises';
import type { TurnMetrics } from '../protocol/messages.ts';
import { MIC_RATE } from '../protocol/pcm.ts';
import { sampleSentences } from '../server/engines/builtin/sentences.ts';
import { ChatClient } from './chat-client.ts';
import { percentile, type Row, type Say, spread } from './row.ts';
import { startServerProcess } from './server-process.ts';
import { realUtterances, type Utterance } from './speech-set.ts';
import { synthesisedUtterances } from './synthesised.ts';

const REAL = 22;
const SYNTHETIC = 22;
const SEED = 61;
/** The silence that many others wait for, and how many utterances say what that comes to. */
const COMMON_SILENCE_MS = 800;
const BASELINE_TIMES = 12;
/** An answer that has not begun by then does not come. */
const PATIENCE_MS = 5_000;
const PARTS = ['endpointMs', 'asrMs', 'llmMs', 'phraseMs', 'ttsMs'] as const;

type Answered = { readonly ms: number; readonly metrics: TurnMetrics };
type Outcome = { answered: Answered[]; early: number; silent: number; notUnderstood: number };

/**
 * The embedded engines, one conversation in real time: from the end of an utterance's speech to the first audio of the reply
 * at the client's socket, with the parts of it. The baseline is the median with an end of turn after 800 ms of silence.
 */
export async function voiceToVoice(say: Say): Promise<Row[]> {
  const real = realUtterances(REAL, 4);
  if (real.length === 0) say('The recordings (../shared/data) are not here: synthesised speech only.');
  const spoken = await synthesisedUtterances(sampleSentences(REAL + SYNTHETIC - real.length, SEED));
  const utterances = [...real, ...spoken];
  const outcome = await converse(utterances, {});
  const plain = await converse(
    utterances.filter((_, i) => i % Math.floor(utterances.length / BASELINE_TIMES) === 0),
    { endSilenceMs: COMMON_SILENCE_MS },
  );
  const { answered, early, silent, notUnderstood } = outcome;
  say(`${answered.length} of ${utterances.length} answered, ${notUnderstood} of them with "not understood"`);
  say(`taken for finished in the middle: ${early}; taken for noise, without an answer: ${silent}`);
  const rest = answered.map(({ ms, metrics }) => ms - PARTS.reduce((sum, part) => sum + (metrics[part] ?? 0), 0));
  const parts: [string, number[]][] = [
    ...PARTS.map((part): [string, number[]] => [
      part.replace('Ms', ''),
      answered.map(({ metrics }) => metrics[part] ?? 0),
    ]),
    ['rest', rest],
  ];
  for (const [part, times] of parts) {
    say(`  ${part}: p50 ${percentile(times, 50).toFixed(1)} ms, p90 ${percentile(times, 90).toFixed(1)} ms`);
  }
  const baseline = spread(plain.answered.map(({ ms }) => ms)).p50!;
  return [
    { id: 'voice-to-voice', unit: 'ms', ...spread(answered.map(({ ms }) => ms)), baseline },
    ...parts.map(([part, times]): Row => ({ id: `voice-to-voice-${part}`, unit: 'ms', ...spread(times) })),
  ];
}

async function converse(utterances: readonly Utterance[], turn: object): Promise<Outcome> {
  await using server = await startServerProcess({
    log: { level: 'warn' },
    turn,
    vad: { engine: 'silero' },
    asr: { engine: 'pocketsphinx' },
    llm: { engine: 'builtin' },
    tts: { engine: 'flite' },
  });
  const client = await ChatClient.open(server.url);
  client.send({ type: 'mic', mode: 'open' });
  client.startMic();
  const outcome: Outcome = { answered: [], early: 0, silent: 0, notUnderstood: 0 };
  for (const { samples, end } of utterances) {
    const since = client.messages.length;
    // What comes after the speech in a recording is background: silence does as well.
    const spokenAt = client.say(samples.slice(0, end + MIC_RATE / 4));
    const ended = spokenAt(end);
    await sleep(ended - performance.now());
    const replied = () => [...client.replies.values()].find(({ firstAt }) => firstAt >= ended);
    while (!replied() && performance.now() < ended + PATIENCE_MS) await sleep(5);
    const messages = client.messages.slice(since).map(({ message }) => message);
    if ([...client.replies.values()].some(({ firstAt }) => firstAt > spokenAt(0) && firstAt < ended)) outcome.early++;
    const reply = replied();
    const told = messages.find((message) => message.type === 'metrics' && message.turn === reply?.turn);
    if (reply && told?.type === 'metrics') {
      outcome.answered.push({ ms: reply.firstAt - ended, metrics: told.metrics });
      const ignored = messages.some((message) => message.type === 'ignored' && message.turn === reply.turn);
      if (ignored) outcome.notUnderstood++;
    } else outcome.silent++;
    client.send({ type: 'interrupt' });
    await sleep(600);
  }
  client.close();
  return outcome;
}
