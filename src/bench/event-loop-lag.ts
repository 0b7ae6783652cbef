import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ChatClient } from './chat-client.ts';
import type { Row, Say } from './row.ts';
import { startServerProcess } from './server-process.ts';
import { synthesised } from './synthesised.ts';
import { writeTinyZipformer } from './tiny-models/asr-zipformer.ts';
import { writeTinyLlama } from './tiny-models/tiny-llama.ts';

const CONVERSATIONS = 4;
const WARM_MS = 3_000;
const SECONDS = 30;
const LAG = 'voicechat_eventloop_lag_p99_seconds';

/**
 * The 99th percentile of the server's event-loop lag while four people talk to it without a pause and interrupt it: Silero, a
 * recogniser, a chat model and flite work all the time, beside the clients on the same machine. With tiny models in the neural
 * engines, whose libraries are the real ones; the baseline is the same with the embedded engines.
 */
export async function eventLoopLag(say: Say): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'voice-chat-tiny-'));
  try {
    const asr = join(folder, 'zipformer');
    const written = Object.entries(await writeTinyZipformer(asr));
    const files = Object.fromEntries(written.map(([role, path]) => [role, basename(path)]));
    await writeFile(join(asr, 'voice-chat.json'), JSON.stringify({ family: 'zipformer', files }));
    const llm = join(folder, 'tiny.gguf');
    writeTinyLlama(llm);
    const embedded = await measure({
      asr: { engine: 'pocketsphinx' },
      llm: { engine: 'builtin' },
    });
    say(`embedded engines: p99 ${embedded.lagMs.toFixed(1)} ms, ${embedded.replies} replies`);
    const neural = await measure({
      asr: { engine: 'sherpa', model: asr },
      llm: { engine: 'llama', model: llm, device: 'cpu', threads: 1, maxTokens: 200 },
    });
    say(`neural engines: p99 ${neural.lagMs.toFixed(1)} ms, ${neural.replies} replies`);
    return [
      {
        id: 'event-loop-lag',
        unit: 'ms',
        n: neural.replies,
        p99: neural.lagMs,
        baseline: embedded.lagMs,
        bar: 'p99 < 20',
        ok: neural.lagMs < 20,
      },
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(stages: object): Promise<{ lagMs: number; replies: number }> {
  await using server = await startServerProcess({
    log: { level: 'warn' },
    vad: { engine: 'silero' },
    tts: { engine: 'flite' },
    ...stages,
  });
  const speech = await synthesised('Tell me a long story. How much is seven times eight?');
  const clients = await Promise.all(Array.from({ length: CONVERSATIONS }, () => ChatClient.open(server.url)));
  for (const client of clients) {
    client.send({ type: 'mic', mode: 'open' });
    client.startMic();
  }
  // Longer than the speech lasts: what it says is heard to begin with, and cut by the next.
  const sayAll = () => {
    for (const client of clients) client.say(speech);
  };
  const talk = setInterval(sayAll, 5_500);
  sayAll();
  await sleep(WARM_MS);
  // Each scrape begins a new window.
  await server.metric(LAG);
  await sleep(SECONDS * 1000);
  const lagMs = Math.round((await server.metric(LAG)) * 100_000) / 100;
  clearInterval(talk);
  const replies = clients.reduce((sum, client) => sum + client.replies.size, 0);
  for (const client of clients) client.close();
  if (replies === 0) throw new Error('Nothing was answered, so the engines did not work.');
  return { lagMs, replies };
}
