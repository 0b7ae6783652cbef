import { describe, expect, it } from 'vitest';
import { THINKING_TEMPLATE } from '../../src/bench/tiny-models/chat-templates.ts';
import { create } from '../../src/server/engines/llama-llm.ts';
import { missing, stories, tinyLlama, tinySettings } from './llama-models.ts';
import { Conversation, deltas, usageOf } from './llama-talk.ts';

const SYSTEM =
  'You are a friendly voice assistant. Your answers are spoken aloud: keep them short, in plain sentences.';
const asked = (turn: number) => `This is question number ${turn}: what do you make of it?`;

const models = [
  { name: 'ChatML', file: tinyLlama({ endLogit: 2 }) },
  { name: 'a thinking model that is told not to', file: tinyLlama({ chatTemplate: THINKING_TEMPLATE, endLogit: 2 }) },
  { name: 'no template', file: tinyLlama({ chatTemplate: '' }) },
  { name: 'letters that are spelt in several tokens', file: tinyLlama({ seed: 3, babble: 'bytes' }) },
  // It sees 512 tokens; what happens beyond is tried elsewhere.
  ...(stories ? [{ name: 'a real model with SentencePiece', file: stories, turns: 5, maxTokens: 12 }] : []),
];

describe.skipIf(missing).each(models)(
  `what a turn costs, $name${missing ?? ''}`,
  ({ file, turns = 20, maxTokens = 40 }) => {
    it('is the new turn, over 20 turns with 5 cut replies', async () => {
      await using model = await create(tinySettings(file, { contextTokens: 4_096, systemPrompt: SYSTEM, maxTokens }));
      const talk = new Conversation(model, SYSTEM);
      for (let turn = 1; turn <= turns; turn++) {
        const { usage } = await talk.turn(asked(turn), turn % 4 === 0 ? 4 : undefined);
        expect(usage.evaluatedTokens, `turn ${turn}`).toBeLessThanOrEqual(usage.turnTokens + 8);
        expect(usage.evaluatedTokens).toBeGreaterThan(0);
      }
    });
  },
);

describe.skipIf(missing)(`what was evaluated${missing ?? ''}`, () => {
  it('is kept for each of two conversations that take turns', async () => {
    await using model = await create(tinySettings(models[0]!.file, { contextTokens: 2_048 }));
    const talks = [new Conversation(model, SYSTEM), new Conversation(model, SYSTEM)];
    for (let turn = 1; turn <= 6; turn++) {
      for (const talk of talks) {
        const { usage } = await talk.turn(asked(turn));
        if (turn > 1) expect(usage.evaluatedTokens).toBeLessThanOrEqual(usage.turnTokens + 8);
      }
    }
  });

  it('is thrown away for the conversation that was silent longest', async () => {
    await using model = await create(tinySettings(models[0]!.file, { contextTokens: 2_048 }));
    const talks = [1, 2, 3].map(() => new Conversation(model, SYSTEM));
    for (const [i, talk] of talks.entries()) await talk.turn(`number ${i}`);
    for (const talk of [talks[1]!, talks[2]!]) {
      const { usage } = await talk.turn('go on');
      expect(usage.evaluatedTokens).toBeLessThanOrEqual(usage.turnTokens + 8);
    }
    const { usage } = await talks[0]!.turn('go on');
    expect(usage.evaluatedTokens).toBeGreaterThan(usage.turnTokens + 8);
  });

  it('is waited for when its conversation goes on right after a barge-in', async () => {
    await using model = await create(tinySettings(models[0]!.file, { contextTokens: 2_048, maxTokens: 400 }));
    const talk = new Conversation(model, SYSTEM);
    await talk.turn('hello', 3);
    for (let i = 0; i < 5; i++) {
      const { usage } = await talk.turn('and now', 3);
      expect(usage.evaluatedTokens).toBeLessThanOrEqual(usage.turnTokens + 8);
    }
  });

  it('contains the system prompt from the start', async () => {
    await using model = await create(tinySettings(models[0]!.file, { systemPrompt: SYSTEM }));
    for (let i = 0; i < 2; i++) {
      const { usage } = await new Conversation(model, SYSTEM).turn('hello');
      expect(usage.promptTokens - usage.evaluatedTokens).toBeGreaterThan(SYSTEM.length / 4);
    }
  });

  it('stays, though one question about its speed is told the figure', async () => {
    await using model = await create(tinySettings(models[0]!.file));
    const situation = { engines: { vad: 'v', asr: 'a', llm: 'l', tts: 't' }, lastVoiceToVoiceMs: 640 };
    const talk = new Conversation(model, SYSTEM, { situation });
    await talk.turn('hello');
    const plain = await talk.turn('why is the sky blue');
    const told = await talk.turn('why is the sky fast');
    expect(told.usage.turnTokens).toBeGreaterThan(plain.usage.turnTokens + 10);
    const { usage } = await talk.turn('and now');
    expect(usage.evaluatedTokens).toBeLessThanOrEqual(usage.turnTokens + 8);
  });
});

describe.skipIf(missing)(`a conversation longer than the context${missing ?? ''}`, () => {
  it('goes on for 100 turns, and seldom costs more than a turn', async () => {
    await using model = await create(tinySettings(models[0]!.file, { contextTokens: 768, systemPrompt: SYSTEM }));
    const talk = new Conversation(model, SYSTEM);
    let dear = 0;
    for (let turn = 1; turn <= 100; turn++) {
      const { usage, reply } = await talk.turn(asked(turn), turn % 4 === 0 ? 4 : undefined);
      expect(reply).not.toBe('');
      expect(usage.promptTokens).toBeLessThan(768);
      // The system prompt is never evaluated again.
      expect(usage.evaluatedTokens).toBeLessThan(usage.promptTokens - SYSTEM.length / 4);
      if (usage.evaluatedTokens > usage.turnTokens + 8) dear++;
    }
    expect(dear).toBeGreaterThan(0);
    expect(dear).toBeLessThan(30);
  });

  it('leaves out the middle of one message that does not fit', async () => {
    await using model = await create(tinySettings(models[0]!.file, { contextTokens: 512 }));
    const messages = [
      { role: 'system', content: SYSTEM },
      { role: 'user', content: 'so it goes on and on '.repeat(5_000) },
    ] as const;
    const situation = { engines: { vad: '', asr: '', llm: '', tts: '' } };
    expect((await deltas(model, { messages, situation })).length).toBeGreaterThan(5);
    const [usage] = await usageOf(model);
    expect(usage!.promptTokens).toBeGreaterThan(150);
    expect(usage!.promptTokens).toBeLessThan(512);
  });
});
