import { describe, expect, it } from 'vitest';
import { create } from '../../src/server/engines/builtin-llm.ts';
import type { ReplyDelta } from '../../src/server/engines/contracts.ts';

describe('3: the chat model, builtin', () => {
  it('answers a question, token by token', async () => {
    await using llm = await create();
    const situation = { engines: { vad: 'v', asr: 'a', llm: 'l', tts: 't' } };
    const messages = [{ role: 'user', content: 'how much is seven times eight' }] as const;
    const tokens: ReplyDelta[] = [];
    for await (const token of llm.reply({ messages, situation }, new AbortController().signal)) tokens.push(token);
    expect(tokens.length).toBeGreaterThan(2);
    expect(tokens.join('')).toMatch(/fifty-six/i);
  });
});
