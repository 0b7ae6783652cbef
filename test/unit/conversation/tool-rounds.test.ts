import { describe, expect, it } from 'vitest';
import type { ToolBox, ToolRound } from '../../../src/server/conversation/tool-box.ts';
import { replyWithTools } from '../../../src/server/conversation/tool-rounds.ts';
import type { ChatModel, ChatRequest, ReplyDelta, ToolCall } from '../../../src/server/engines/contracts.ts';
import { settle } from '../../fixtures/pliable-engines.ts';

const call = (id: string, name = 'look', args: unknown = {}): ToolCall => ({ id, name, args });
const request: ChatRequest = {
  messages: [{ role: 'user', content: 'look' }],
  situation: { engines: { vad: 'v', asr: 'a', llm: 'l', tts: 't' } },
};
const descriptions = [{ name: 'look', description: 'Looks.', parameters: { type: 'object' } }];

/** A model that replies with these deltas, one list each time it is asked; the last list over and over. */
function model(...rounds: ReplyDelta[][]) {
  const asked: ChatRequest[] = [];
  const llm: ChatModel = {
    async *reply(got) {
      asked.push(got);
      yield* rounds[Math.min(asked.length, rounds.length) - 1]!;
    },
    async [Symbol.asyncDispose]() {},
  };
  return { llm, asked };
}

const tools = (run: ToolBox['run'] = async ({ id }) => `result ${id}`): ToolBox => ({
  descriptions,
  run,
  pending: false,
});

async function textOf(reply: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const piece of reply) text += piece;
  return text;
}

const never = new AbortController().signal;

describe('a reply with tools', () => {
  it('is the text of all rounds; the results go back with the calls', async () => {
    const { llm, asked } = model(['Let me', ' look.', call('a', 'look', { at: 1 }), call('b')], ['It is', ' there.']);
    const rounds: ToolRound[] = [];
    expect(await textOf(replyWithTools(llm, request, tools(), rounds, never))).toBe('Let me look.\nIt is there.');
    expect(asked.map((one) => one.tools)).toEqual([descriptions, descriptions]);
    expect(asked[1]!.messages).toEqual([
      ...request.messages,
      { role: 'assistant', content: 'Let me look.', toolCalls: [call('a', 'look', { at: 1 }), call('b')] },
      { role: 'tool', content: 'result a', callId: 'a' },
      { role: 'tool', content: 'result b', callId: 'b' },
    ]);
    expect(rounds).toEqual([
      { at: 13, calls: [call('a', 'look', { at: 1 }), call('b')], results: ['result a', 'result b'] },
    ]);
  });

  it('asks once, without tools, where there are none', async () => {
    const { llm, asked } = model(['Hello.', call('a')]);
    const none: ToolBox = { ...tools(async () => expect.unreachable()), descriptions: [] };
    expect(await textOf(replyWithTools(llm, request, none, [], never))).toBe('Hello.');
    expect(asked).toEqual([request]);
  });

  it('gives text at once, and runs calls though nobody has read the text before them', async () => {
    const { llm } = model(['First.', call('a')], ['Then.']);
    let ran = 0;
    let finish = (_: string) => {};
    const box = tools(() => {
      ran++;
      return new Promise((resolve) => {
        finish = resolve;
      });
    });
    const reply = replyWithTools(llm, request, box, [], never);
    expect(await reply.next()).toEqual({ done: false, value: 'First.' });
    await settle();
    expect(ran).toBe(1);
    expect((await reply.next()).value).toBe('\n');
    finish('done');
    expect((await reply.next()).value).toBe('Then.');
  });

  it('runs the calls of one round side by side', async () => {
    const { llm } = model([call('a'), call('b')], ['Both.']);
    const waiting: (() => void)[] = [];
    const box = tools(async () => {
      // Neither ends before the other has begun.
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        if (waiting.length === 2) for (const go of waiting) go();
      });
      return 'met';
    });
    expect(await textOf(replyWithTools(llm, request, box, [], never))).toBe('Both.');
  });

  it('asks without tools after four rounds, and runs nothing more', async () => {
    const { llm, asked } = model(['Again.', call('a')]);
    const ran: string[] = [];
    const box = tools(async ({ id }) => {
      ran.push(id);
      return 'no';
    });
    expect(await textOf(replyWithTools(llm, request, box, [], never))).toBe('Again.\nAgain.\nAgain.\nAgain.\nAgain.');
    expect(asked.map((one) => one.tools !== undefined)).toEqual([true, true, true, true, false]);
    expect(ran).toHaveLength(4);
  });

  it('runs eight calls at once, and tells the model of the others', async () => {
    const { llm, asked } = model(
      Array.from({ length: 10 }, (_, i) => call(`${i}`)),
      ['Done.'],
    );
    await textOf(replyWithTools(llm, request, tools(), [], never));
    const results = asked[1]!.messages.filter(({ role }) => role === 'tool').map(({ content }) => content);
    expect(results[7]).toBe('result 7');
    expect(results.slice(8)).toEqual(Array(2).fill(expect.stringContaining('Only 8')));
  });

  it('hides thoughts, in each round for itself', async () => {
    const { llm, asked } = model(['<think>hm, a tool', call('a')], ['<think>so</think>\n\nIt is.']);
    expect(await textOf(replyWithTools(llm, request, tools(), [], never))).toBe('It is.');
    expect(asked[1]!.messages[1]).toEqual({ role: 'assistant', content: '', toolCalls: [call('a')] });
  });

  it('ends at once when aborted while a deaf tool runs, and says so in its round', async () => {
    const { llm, asked } = model(['Wait.', call('a'), call('b')], ['Never.']);
    const stop = new AbortController();
    let late = (_: string) => {};
    const box = tools(({ id }) =>
      id === 'a'
        ? Promise.resolve('set')
        : new Promise((resolve) => {
            late = resolve;
          }),
    );
    const rounds: ToolRound[] = [];
    const text = textOf(replyWithTools(llm, request, box, rounds, stop.signal));
    await settle();
    stop.abort();
    expect(await text).toBe('Wait.\n');
    late('too late');
    await settle();
    expect(rounds).toMatchObject([{ results: ['set', expect.stringContaining('stopped')] }]);
    expect(asked).toHaveLength(1);
  });

  it('stops the tools when its reader leaves', async () => {
    const { llm } = model(['Wait. ', call('a')]);
    let given: AbortSignal | undefined;
    const box = tools((_, signal) => {
      given = signal;
      return new Promise(() => {});
    });
    for await (const _ of replyWithTools(llm, request, box, [], never)) {
      await settle();
      break;
    }
    expect(given?.aborted).toBe(true);
  });

  it('throws what the model throws, after the text before', async () => {
    const llm: ChatModel = {
      async *reply({ messages }) {
        if (messages.at(-1)?.role === 'tool') throw new Error('out of memory');
        yield 'Wait.';
        yield call('a');
      },
      async [Symbol.asyncDispose]() {},
    };
    const got: string[] = [];
    const reading = async () => {
      for await (const piece of replyWithTools(llm, request, tools(), [], never)) got.push(piece);
    };
    await expect(reading()).rejects.toThrow('out of memory');
    expect(got.join('')).toBe('Wait.\n');
  });
});
