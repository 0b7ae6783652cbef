import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChatMessage, ChatModel, ChatRequest, ReplyDelta } from '../../src/server/engines/contracts.ts';

const situation = {
  engines: { vad: 'silero v5', asr: 'pocketsphinx (en-us)', llm: 'the one under test', tts: 'flite' },
  lastVoiceToVoiceMs: 640,
};

/** A request with this conversation. */
export function request(...messages: ChatMessage[]): ChatRequest {
  return { messages, situation };
}

/** One user message. */
export const user = (content: string): ChatMessage => ({ role: 'user', content });

/** The whole reply. */
export async function replyOf(
  model: ChatModel,
  asked: ChatRequest,
  signal = new AbortController().signal,
): Promise<string> {
  let text = '';
  for await (const delta of model.reply(asked, signal)) if (typeof delta === 'string') text += delta;
  return text;
}

export type LlmCase = {
  readonly open: () => Promise<ChatModel>;
  /** A message whose reply has at least twenty tokens. */
  readonly long: string;
};

/** What every chat model keeps to. */
export function chatModelSuite(name: string, { open, long }: LlmCase): void {
  describe(`${name} as a chat model`, () => {
    let model: ChatModel;
    beforeAll(async () => {
      model = await open();
    });
    afterAll(() => model[Symbol.asyncDispose]());

    it('replies token by token', async () => {
      const tokens: ReplyDelta[] = [];
      for await (const token of model.reply(request(user(long)), new AbortController().signal)) tokens.push(token);
      expect(tokens.length).toBeGreaterThanOrEqual(20);
      expect(tokens.every((token) => typeof token === 'string' && token.length > 0)).toBe(true);
      expect(tokens.join('')).toMatch(/\w+ \w+/);
    });

    it('says nothing when it was aborted before', async () => {
      expect(await replyOf(model, request(user(long)), AbortSignal.abort())).toBe('');
    });

    it('ends without an error when it is aborted, and can be asked again', async () => {
      const abort = new AbortController();
      let after = 0;
      for await (const _ of model.reply(request(user(long)), abort.signal)) {
        if (abort.signal.aborted) after++;
        abort.abort();
      }
      expect(after).toBe(0);
      expect(await replyOf(model, request(user(long)))).not.toBe('');
    });

    it('can be left in the middle', async () => {
      for await (const _ of model.reply(request(user(long)), new AbortController().signal)) break;
      expect(await replyOf(model, request(user(long)))).not.toBe('');
    });

    it('keeps two replies apart', async () => {
      const abort = new AbortController();
      const [whole] = await Promise.all([
        replyOf(model, request(user(long))),
        (async () => {
          for await (const _ of model.reply(request(user('hello')), abort.signal)) abort.abort();
        })(),
      ]);
      expect(whole.length).toBeGreaterThan(40);
    });

    it.each<[string, ChatMessage[]]>([
      ['nothing at all', []],
      ['a system message only', [{ role: 'system', content: 'Be kind.' }]],
      ['an empty message', [user('')]],
      ['two messages in a row', [user('hello'), user('are you there')]],
      [
        'a reply that was cut',
        [user('count to ten'), { role: 'assistant', content: 'One, two', cut: true }, user('go on')],
      ],
      [
        'a reply of which nothing was heard',
        [user('hello'), { role: 'assistant', content: '', cut: true }, user('hello')],
      ],
      [
        'after a tool was called',
        [
          user('what time is it'),
          { role: 'assistant', content: '', toolCalls: [{ id: 'a1b2c3d4e', name: 'time', args: {} }] },
          { role: 'tool', content: 'It is 13:00.', callId: 'a1b2c3d4e' },
        ],
      ],
      [
        'after a reply was cut in which tools were called',
        [
          user('what time is it in Paris and in Rome'),
          {
            role: 'assistant',
            content: 'Let me',
            cut: true,
            toolCalls: [
              { id: 'a1b2c3d4e', name: 'time', args: { place: 'Paris' } },
              { id: 'a1b2c3d4f', name: 'time', args: 'not {JSON' },
            ],
          },
          { role: 'tool', content: 'It is 13:00.', callId: 'a1b2c3d4e' },
          { role: 'tool', content: 'That did not work.', callId: 'a1b2c3d4f' },
          user('never mind, hello'),
        ],
      ],
      ['other scripts and signs', [user('今天怎么样？ 😀 <b>&amp; \u0000 \ud83d')]],
      ['a very long message', [user('so it goes on and on '.repeat(3_000))]],
    ])('answers %s', async (_, messages) => {
      expect((await replyOf(model, request(...messages))).trim()).not.toBe('');
    });

    it('can be closed twice', async () => {
      const other = await open();
      await other[Symbol.asyncDispose]();
      await other[Symbol.asyncDispose]();
    });
  });
}
