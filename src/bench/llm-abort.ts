import { setTimeout as sleep } from 'node:timers/promises';
import { seeded } from '../server/engines/builtin/random.ts';
import type { ChatMessage } from '../server/engines/contracts.ts';
import { percentile, type Row, type Say, spread } from './row.ts';
import { startTinyChatModel } from './tiny-chat-model.ts';

const ABORTS = 200;
const situation = { engines: { vad: '', asr: '', llm: '', tts: '' } };

/**
 * A reply of a tiny model in its own process, aborted at a random moment: while its prompt is evaluated (every second one is
 * 2,500 letters long) or while it is written. From the signal to the answer of the process that it has stopped computing, the
 * way to it and back included; `value` is the most tokens that a reply gave after its signal, the baseline the time of a token.
 */
export async function llmAbort(say: Say): Promise<Row[]> {
  await using model = await startTinyChatModel({ seed: 5, layers: 4, width: 128 }, { maxTokens: 1_000 });
  const random = seeded(11);
  const stopped: number[] = [];
  const ended: number[] = [];
  const perToken: number[] = [];
  const computed: number[] = [];
  let worstAfter = 0;
  let inPrompt = 0;
  for (let i = 0; i < ABORTS; i++) {
    const abort = new AbortController();
    let given = 0;
    let after = 0;
    let firstAt = 0;
    let lastAt = 0;
    const messages: ChatMessage[] = [{ role: 'user', content: text(random, i % 2 === 0 ? 2_500 : 60) }];
    const reading = (async () => {
      for await (const _ of model.llm.reply({ messages, situation }, abort.signal)) {
        if (abort.signal.aborted) after++;
        lastAt = performance.now();
        firstAt ||= lastAt;
        given++;
      }
      return performance.now();
    })();
    await sleep(random() * 200);
    const signalled = performance.now();
    const before = given;
    abort.abort();
    ended.push((await reading) - signalled);
    const { replyTokens } = (await model.usage()).at(-1) ?? { replyTokens: 0 };
    stopped.push(performance.now() - signalled);
    worstAfter = Math.max(worstAfter, after);
    if (before === 0) inPrompt++;
    else computed.push(replyTokens - before);
    if (before > 10) perToken.push((lastAt - firstAt) / (before - 1));
  }
  const figures = spread(stopped);
  say(`${inPrompt} of ${ABORTS} aborted before the first token; iteration ended after ${show(ended)}`);
  say(`tokens computed or on their way when the signal came: ${show(computed)}`);
  return [
    {
      id: 'llm-abort',
      unit: 'ms',
      ...figures,
      value: worstAfter,
      baseline: Math.round(percentile(perToken, 50) * 100) / 100,
      bar: '≤ 1 token after, p99 ≤ 50',
      ok: worstAfter <= 1 && figures.p99! <= 50,
    },
  ];
}

const show = (values: readonly number[]): string =>
  [50, 99, 100].map((percent) => `p${percent} ${percentile(values, percent).toFixed(2)}`).join(', ');

/** Other words each time: what was evaluated before would cost nothing. */
function text(random: () => number, letters: number): string {
  const words = ['the', 'cat', 'sun', 'moon', 'tree', 'house', 'little', 'story'];
  let said = '';
  while (said.length < letters) said += ` ${words[Math.floor(random() * words.length)]}`;
  return said;
}
