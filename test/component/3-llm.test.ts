import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { create } from '../../src/server/engines/builtin-llm.ts';
import type { ChatMessage, ReplyDelta, ToolCall } from '../../src/server/engines/contracts.ts';
import { create as createLlama } from '../../src/server/engines/llama-llm.ts';
import { LLM_MODELS } from '../../src/server/models/manifest-llm.ts';
import { ModelStore } from '../../src/server/models/store.ts';

const forever = new AbortController().signal;
const situation = { engines: { vad: 'v', asr: 'a', llm: 'l', tts: 't' } };

describe('3: the chat model, builtin', () => {
  it('answers a question, token by token', async () => {
    await using llm = await create();
    const messages = [{ role: 'user', content: 'how much is seven times eight' }] as const;
    const tokens: ReplyDelta[] = [];
    for await (const token of llm.reply({ messages, situation }, forever)) tokens.push(token);
    expect(tokens.length).toBeGreaterThan(2);
    expect(tokens.join('')).toMatch(/fifty-six/i);
  });
});

const folder = join(homedir(), '.cache', 'huggingface', 'hub');
const store = new ModelStore({ folder, hub: 'https://huggingface.co', token: '', offline: true });
const models = await Promise.all(LLM_MODELS.map(async (entry) => ({ entry, stored: await store.find(entry) })));
const clock = {
  name: 'time',
  description: 'Tells the current date and time.',
  parameters: { type: 'object', properties: {} },
};

for (const { entry, stored } of models) {
  describe(`3: the chat model, llama (${entry.title})`, () => {
    const why = stored ? '' : `, skipped: voice-chat models pull ${entry.id}`;
    it.skipIf(!stored)(`answers a question, asks for the time, and says it${why}`, async () => {
      await using llm = await createLlama({
        file: stored!.files.model!,
        device: 'auto',
        gpuLayers: -1,
        contextTokens: 4_096,
        conversations: 1,
        threads: 0,
        temperature: 0,
        maxTokens: 200,
        thinking: false,
      });
      const ask = async (messages: readonly ChatMessage[], tools: readonly (typeof clock)[] = []) => {
        const deltas: ReplyDelta[] = [];
        for await (const delta of llm.reply({ messages, situation, tools }, forever)) deltas.push(delta);
        const isText = (delta: ReplyDelta) => typeof delta === 'string';
        return {
          text: deltas.filter(isText).join(''),
          calls: deltas.filter((delta): delta is ToolCall => !isText(delta)),
        };
      };
      const system = { role: 'system', content: 'Answer in one short sentence.' } as const;
      const answer = await ask([system, { role: 'user', content: 'What is the capital of France?' }]);
      expect(answer.text).toMatch(/Paris/);
      expect(answer.text).not.toMatch(/[<>]|think/);

      const messages: ChatMessage[] = [system, { role: 'user', content: 'What time is it right now?' }];
      const { text, calls } = await ask(messages, [clock]);
      expect(calls.map(({ name }) => name)).toEqual(['time']);
      messages.push({ role: 'assistant', content: text, toolCalls: calls });
      messages.push({ role: 'tool', callId: calls[0]!.id, content: 'Friday, 4 July 2025, 15:42' });
      expect((await ask(messages, [clock])).text).toMatch(/15:42|3:42/);
    });
  });
}
