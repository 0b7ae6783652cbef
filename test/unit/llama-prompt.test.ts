import fc from 'fast-check';
import type { Token } from 'node-llama-cpp';
import { describe, expect, it } from 'vitest';
import type { ChatMessage } from '../../src/server/engines/contracts.ts';
import { CHATML } from '../../src/server/engines/llama/chat-format.ts';
import { fitted } from '../../src/server/engines/llama/fit.ts';
import { agreeing, pieces, promptFor } from '../../src/server/engines/llama/prompt.ts';
import { talkOf } from '../../src/server/engines/llama/talk.ts';

const situation = { engines: { vad: '', asr: '', llm: '', tts: '' } };
const talk = (...messages: ChatMessage[]) => talkOf({ messages, situation });
const letters = (text: string): Token[] => [...text].map((letter) => letter.codePointAt(0)! as Token);
const prompt = (...messages: ChatMessage[]) =>
  String.fromCodePoint(...promptFor(pieces(talk(...messages), CHATML), [], [], letters).tokens);

describe('a prompt', () => {
  it('holds the conversation in the format of the model', () => {
    const messages: ChatMessage[] = [
      { role: 'system', content: 'Be kind.' },
      { role: 'user', content: ' count ' },
      { role: 'assistant', content: 'One, two', cut: true },
      { role: 'user', content: 'go on' },
    ];
    expect(prompt(...messages)).toBe(
      '<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\ncount<|im_end|>\n<|im_start|>assistant\nOne, two…<|im_end|>\n<|im_start|>user\ngo on<|im_end|>\n<|im_start|>assistant\n',
    );
  });

  it('only ever grows at its end', () => {
    const said = fc.string({ minLength: 1 }).filter((text) => text.trim() !== '');
    fc.assert(
      fc.property(fc.array(fc.record({ asked: said, replied: said, cut: fc.boolean() }), { minLength: 2 }), (turns) => {
        const messages = turns.flatMap(({ asked, replied, cut }): ChatMessage[] => [
          { role: 'user', content: asked },
          { role: 'assistant', content: replied, cut },
        ]);
        for (let end = 3; end < messages.length; end += 2) {
          expect(prompt(...messages.slice(0, end)).startsWith(prompt(...messages.slice(0, end - 2)))).toBe(true);
        }
      }),
    );
  });

  it('holds tool calls and their results where they were', () => {
    const toolCalls = [{ id: '1', name: 'clock', args: { zone: 'UTC' } }];
    const text = prompt(
      { role: 'user', content: 'what time is it' },
      { role: 'assistant', content: 'Let me see.', toolCalls },
      { role: 'tool', callId: '1', content: '12:30' },
    );
    expect(text).toContain(
      'Let me see.\n<tool_call>\n{"name": "clock", "arguments": {"zone":"UTC"}}\n</tool_call><|im_end|>\n<|im_start|>user\n<tool_response>\n12:30\n</tool_response><|im_end|>',
    );
  });
});

describe('how far a reply agrees with what is left of it in history', () => {
  it.each([
    ['all of it', [' One', ', two', '.'], 'One, two.', 3, ''],
    ['white space at its end', [' One', '.', '\n'], 'One.', 3, ''],
    ['what was cut', [' One', ',', ' two', ',', ' three'], 'One, two…', 3, '…'],
    ['a cut within a token', [' Onetwo'], 'One…', 0, 'One…'],
    ['a cut before white space', ['One', '\n\n', 'two'], 'One…', 1, '…'],
    ['other white space', ['One', '\n\n', 'two'], 'One two', 3, ''],
    ['thoughts, which add nothing', ['', '', 'One'], 'One', 3, ''],
    ['nothing', ['Two'], 'One', 0, 'One'],
  ])('%s', (_, texts, text, count, rest) => {
    expect(agreeing(texts, text)).toEqual({ count, rest });
  });
});

describe('a talk that is too long', () => {
  const count = (text: string) => Math.ceil(text.length / 4);
  const long = (turns: number) =>
    talk(
      { role: 'system', content: 'Be kind.' },
      ...Array.from({ length: turns }, (_, i): ChatMessage[] => [
        { role: 'user', content: `question ${i} ${'x'.repeat(40)}` },
        { role: 'assistant', content: `answer ${i} ${'y'.repeat((i * 37) % 90)}` },
      ]).flat(),
      { role: 'user', content: 'and now?' },
    );

  it('loses its oldest exchanges in blocks, and keeps the system prompt and the question', () => {
    const firsts = Array.from({ length: 100 }, (_, turns) => {
      const { system, said } = fitted(long(turns), 500, count);
      expect(system).toBe('Be kind.');
      expect(said.at(-1)!.content).toBe('and now?');
      expect(said[0]!.role).toBe('user');
      const size = said.reduce((sum, { content }) => sum + count(content), count(system));
      expect(size).toBeLessThanOrEqual(500);
      return said[0]!.content;
    });
    const moves = firsts.slice(2).filter((first, i) => first !== firsts[i + 1]).length;
    expect(moves).toBeGreaterThan(5);
    expect(moves).toBeLessThan(40);
  });

  it('keeps the beginning and the end of what alone is too long', () => {
    const { system, said } = fitted(
      talk({ role: 'system', content: `S${'s'.repeat(9_000)}S` }, { role: 'user', content: `A${'b'.repeat(9_000)}C` }),
      200,
      count,
    );
    expect(said[0]!.content).toMatch(/^Ab+ \[…\] b+C$/);
    expect(system).toMatch(/^Ss+ \[…\] s+S$/);
    expect(count(system) + count(said[0]!.content)).toBeLessThanOrEqual(200);
  });
});
