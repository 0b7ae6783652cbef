import type { ChatMessage } from '../server/engines/contracts.ts';
import { percentile, type Row, type Say, spread } from './row.ts';
import { startTinyChatModel } from './tiny-chat-model.ts';
import { THINKING_TEMPLATE } from './tiny-models/chat-templates.ts';

const TURNS = 20;
/** Every fourth reply is cut, five in all, with this many words heard. */
const CUT_EACH = 4;
const HEARD = 6;
const SYSTEM =
  'You are a friendly voice assistant. Your answers are spoken aloud: keep them short, in plain sentences.';
const situation = { engines: { vad: 'vad', asr: 'asr', llm: 'llm', tts: 'tts' } };

/**
 * Prompt tokens that llama.cpp evaluated in each turn of a conversation, by its own count, less those of the new turn (what the
 * user said and what the format puts around it). The baseline is the median of whole prompts: what a full evaluation costs.
 */
export async function prefixReuse(say: Say): Promise<Row[]> {
  await using model = await startTinyChatModel(
    { seed: 5, chatTemplate: THINKING_TEMPLATE, endLogit: 2 },
    { systemPrompt: SYSTEM, maxTokens: 80 },
  );
  const messages: ChatMessage[] = [{ role: 'system', content: SYSTEM }];
  for (let turn = 1; turn <= TURNS; turn++) {
    messages.push({ role: 'user', content: `This is question number ${turn}: what do you make of it?` });
    const abort = new AbortController();
    const cut = turn % CUT_EACH === 0;
    let reply = '';
    for await (const delta of model.llm.reply({ messages, situation }, abort.signal)) {
      reply += typeof delta === 'string' ? delta : '';
      if (cut && reply.split(' ').length > HEARD + 8) abort.abort();
    }
    const words = reply.trim().split(/\s+/);
    const content = cut ? words.slice(0, HEARD).join(' ') : reply.trim();
    messages.push({ role: 'assistant', content, ...(cut ? { cut } : {}) });
  }
  const usages = await model.usage();
  const median = (of: (usage: (typeof usages)[number]) => number) => percentile(usages.map(of), 50);
  say(
    `median of ${usages.length} turns: prompt ${median((one) => one.promptTokens)}, new turn ${median((one) => one.turnTokens)}, evaluated ${median((one) => one.evaluatedTokens)} tokens`,
  );
  const more = spread(usages.map(({ evaluatedTokens, turnTokens }) => evaluatedTokens - turnTokens));
  return [
    {
      id: 'prefix-reuse',
      unit: 'tokens',
      ...more,
      baseline: median(({ promptTokens }) => promptTokens),
      bar: 'each ≤ 8 beyond the new turn',
      ok: usages.length === TURNS && more.worst! <= 8,
    },
  ];
}
