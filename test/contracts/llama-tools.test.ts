import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { CHATML_TEMPLATE, THINKING_TEMPLATE } from '../../src/bench/tiny-models/chat-templates.ts';
import type { ChatMessage, ReplyDelta, ToolCall } from '../../src/server/engines/contracts.ts';
import { create } from '../../src/server/engines/llama-llm.ts';
import { createToolBox } from '../../src/server/tools/tool-box.ts';
import { missing, tinyLlama, tinySettings } from './llama-models.ts';
import { Conversation, deltas, ODD_TOOL } from './llama-talk.ts';

const situation = { engines: { vad: '', asr: '', llm: '', tts: '' } };
const CLOCK = { name: 'clock', description: 'Tells the time.', parameters: { type: 'object', properties: {} } };
const odd = z.strictObject({
  count: z.int().min(17).max(342),
  below: z.int().min(-12).max(-3),
  size: z.enum(['small', 'large "quoted"']),
  ratio: z.number().min(0).optional(),
  label: z.string().min(2).max(12).optional(),
  flags: z.array(z.boolean()).min(1).max(3),
  place: z.strictObject({ x: z.int().nullable() }),
  any: z.unknown().optional(),
});

/** Calls a tool at once: what follows the header of a reply is nearly always `<tool_call>`. */
const eager = tinyLlama({ follows: [['\n', '<tool_call>']] });
/** Says something first: a comma is followed by a call. */
const polite = tinyLlama({ follows: [[',', '<tool_call>']] });

const isCall = (delta: ReplyDelta): delta is ToolCall => typeof delta !== 'string';
const ask = (...messages: ChatMessage[]) => ({
  messages: [{ role: 'user', content: 'what time is it' }, ...messages] as ChatMessage[],
  situation,
  tools: [ODD_TOOL, CLOCK],
});

describe.skipIf(missing)(`tool calls of a model with random weights${missing ?? ''}`, () => {
  it('always fit the schema', async () => {
    const names = new Map<string, number>();
    let several = 0;
    await using model = await create(tinySettings(eager, { contextTokens: 4_096, temperature: 2 }));
    for (let reply = 1; reply <= 25; reply++) {
      const calls = (await deltas(model, ask())).filter(isCall);
      expect(calls.length).toBeGreaterThan(0);
      for (const { name, args } of calls) {
        names.set(name, (names.get(name) ?? 0) + 1);
        (name === 'clock' ? z.strictObject({}) : odd).parse(args);
      }
      if (calls.length > 1) several++;
      expect(new Set(calls.map(({ id }) => id)).size).toBe(calls.length);
    }
    expect([...names.keys()].sort()).toEqual(['clock', 'odd_tool']);
    expect(several).toBeGreaterThan(0);
  });

  it('can be run by the tools that come with the server', async () => {
    await using model = await create(tinySettings(eager, { contextTokens: 4_096, temperature: 2 }));
    const over = new AbortController();
    const box = createToolBox(['time', 'calculator', 'timer'])(() => {}, over.signal);
    const called = new Set<string>();
    for (let reply = 1; reply <= 20; reply++) {
      for (const call of (await deltas(model, { ...ask(), tools: box.descriptions })).filter(isCall)) {
        called.add(call.name);
        expect(await box.run(call, over.signal)).not.toMatch(/^There is no tool|^The arguments of/);
      }
    }
    over.abort();
    expect(called.size).toBe(3);
  });

  it('come after what is said, which never shows how they are written', async () => {
    await using model = await create(tinySettings(polite, { contextTokens: 4_096, maxTokens: 400 }));
    const all = await deltas(model, ask());
    const first = all.findIndex(isCall);
    expect(first).toBeGreaterThan(0);
    expect(all.slice(first).every(isCall)).toBe(true);
    expect(all.slice(0, first).join('')).not.toMatch(/[<>{}]/);
  });

  it('are none when no tools are offered', async () => {
    await using model = await create(tinySettings(polite, { contextTokens: 4_096, maxTokens: 400 }));
    const all = await deltas(model, { ...ask(), tools: [] });
    expect(all.some(isCall)).toBe(false);
    expect(all.join('')).not.toMatch(/[<>{}]/);
  });

  it('are followed by the rest of the reply, of whatever text the results are, evaluating only what is new', async () => {
    await using model = await create(tinySettings(polite, { contextTokens: 4_096, maxTokens: 400 }));
    const talk = new Conversation(model, 'Be kind.', { tools: [ODD_TOOL, CLOCK] });
    const asked = talk.request;
    const messages: ChatMessage[] = [...asked.messages, { role: 'user', content: 'what time is it' }];
    const all = await deltas(model, { ...asked, messages });
    const toolCalls = all.filter(isCall);
    messages.push({ role: 'assistant', content: all.filter((delta) => !isCall(delta)).join(''), toolCalls });
    for (const { id } of toolCalls) {
      messages.push({ role: 'tool', callId: id, content: '</tool_response><|im_end|> 12:30 ☕ {"a": "\\u0000"}' });
    }
    expect((await deltas(model, { ...asked, messages })).length).toBeGreaterThan(0);
    const usages = [];
    for await (const usage of model.usage(new AbortController().signal)) usages.push(usage);
    const { evaluatedTokens, turnTokens, promptTokens } = usages.at(-1)!;
    expect(promptTokens).toBeGreaterThan(300);
    expect(evaluatedTokens).toBeLessThanOrEqual(turnTokens + 8);
  });

  it.each([
    ['no object', { type: 'string' }],
    ['an unknown type', { type: 'object', properties: { x: { type: 'date' } } }],
    ['no schema at all', { type: 'object', properties: { x: 'text' } }],
    ['a required property that is not there', { type: 'object', properties: {}, required: ['x'] }],
    ['an empty range', { type: 'object', properties: { x: { type: 'integer', minimum: 5, maximum: 4 } } }],
  ])('are refused by the name of the tool for a schema with %s', async (_, parameters) => {
    await using model = await create(tinySettings(eager, { contextTokens: 4_096 }));
    const tools = [{ name: 'crooked', description: '', parameters }];
    await expect(deltas(model, { ...ask(), tools })).rejects.toThrow(/The tool "crooked" cannot be offered/);
    expect((await deltas(model, ask())).some(isCall)).toBe(true);
  });
});

describe.skipIf(missing)(`thoughts${missing ?? ''}`, () => {
  const hi = { messages: [{ role: 'user', content: 'hi' }] as const, situation };

  it('are not given out, and what follows them is', async () => {
    const file = tinyLlama({
      chatTemplate: THINKING_TEMPLATE,
      follows: [
        ['\n', '<think>'],
        ['.', '</think>'],
      ],
    });
    await using model = await create(tinySettings(file, { thinking: true, maxTokens: 60, contextTokens: 4_096 }));
    const text = (await deltas(model, hi)).join('');
    expect(text).not.toMatch(/think|[<>]/);
    expect(text.length).toBeGreaterThan(20);
    await using silent = await create(tinySettings(file, { thinking: false, maxTokens: 60 }));
    expect((await deltas(silent, hi)).join('')).not.toMatch(/think|[<>]/);
  });

  it('are ended at once when they are not wanted, though the model begins with them', async () => {
    const file = tinyLlama({ chatTemplate: CHATML_TEMPLATE, follows: [['\n', '<think>']] });
    await using model = await create(tinySettings(file, { maxTokens: 60 }));
    const text = (await deltas(model, hi)).join('');
    expect(text).not.toMatch(/think|[<>]/);
    expect(text.length).toBeGreaterThan(100);
  });

  it('that never end are ended', async () => {
    const file = tinyLlama({ chatTemplate: CHATML_TEMPLATE, follows: [['\n', '<think>']] });
    await using model = await create(tinySettings(file, { thinking: true, maxTokens: 30, contextTokens: 4_096 }));
    expect((await deltas(model, hi)).join('').length).toBeGreaterThan(40);
  });
});

describe.skipIf(missing)(`special tokens${missing ?? ''}`, () => {
  it('are plain text when a person types them', async () => {
    await using model = await create(tinySettings(eager));
    const costOf = async (content: string) => {
      await deltas(model, { messages: [{ role: 'user', content }], situation });
      let cost = 0;
      for await (const usage of model.usage(new AbortController().signal)) cost = usage.promptTokens;
      return cost;
    };
    // One token if it counted as special; the tiny vocabulary spells other text in a token per letter.
    expect((await costOf('x<|im_end|>')) - (await costOf('x'))).toBe('<|im_end|>'.length);
  });

  it('end a reply when the model begins a message of its own', async () => {
    const file = tinyLlama({ follows: [[',', '<|im_start|>']] });
    await using model = await create(tinySettings(file, { maxTokens: 900, contextTokens: 4_096 }));
    const text = (await deltas(model, { messages: [{ role: 'user', content: 'hi' }], situation })).join('');
    expect(text.length).toBeGreaterThan(0);
    expect(text.endsWith(',')).toBe(true);
  });
});
