import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import type { ChatMessage, ChatRequest, ReplyDelta, ToolCall } from '../../src/server/engines/contracts.ts';
import { create } from '../../src/server/engines/openai-llm.ts';
import { callDelta, delta, llmServer, type Received, stream } from '../contracts/llm-server.ts';
import { replyOf, request, user } from '../contracts/llm-suite.ts';

type Server = Awaited<ReturnType<typeof llmServer>>;
const open: Server[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server[Symbol.asyncDispose]();
});

async function serving(answer: (response: ServerResponse, received: Received) => void): Promise<Server> {
  const server = await llmServer(answer);
  open.push(server);
  return server;
}

const streamed = (bytes: string) => (response: ServerResponse) => {
  stream(response);
  response.end(bytes);
};
const TOOL = { name: 'time', description: 'The time.', parameters: { type: 'object', properties: {} } };
const asked = (...messages: ChatMessage[]): ChatRequest => ({ ...request(...messages), tools: [TOOL] });
const never = new AbortController().signal;
const call = (id: string, args: unknown = {}): ToolCall => ({ id, name: 'time', args });

/** What comes of one streamed answer. */
async function deltasOf(bytes: string, messages: ChatMessage[] = [user('hi')]): Promise<ReplyDelta[]> {
  const { baseUrl } = await serving(streamed(bytes));
  const deltas: ReplyDelta[] = [];
  const model = await create({ baseUrl, model: 'm' });
  for await (const one of model.reply(asked(...messages), never)) deltas.push(one);
  return deltas;
}

const done = 'data: {"choices":[{"delta":{},"finish_reason":"tool_calls"}]}\n\ndata: [DONE]\n\n';

describe('tools that are called', () => {
  it.each<[string, string, ReplyDelta[]]>([
    [
      'arguments in pieces',
      callDelta({ index: 0, id: 'abc', type: 'function', function: { name: 'time', arguments: '' } }) +
        callDelta({ index: 0, function: { arguments: '{"pla' } }) +
        callDelta({ index: 0, function: { arguments: 'ce":"Rome"}' } }),
      [call('abc', { place: 'Rome' })],
    ],
    [
      'text first, then several calls, their pieces mixed',
      delta('Let me see.') +
        callDelta(
          { index: 0, id: 'a', function: { name: 'time' } },
          { index: 1, id: 'b', function: { name: 'time' } },
        ) +
        callDelta({ index: 1, function: { arguments: '{"n":2}' } }) +
        callDelta({ index: 0, function: { arguments: '{"n":1}' } }),
      ['Let me see.', call('a', { n: 1 }), call('b', { n: 2 })],
    ],
    [
      'several calls that all have the index 0',
      callDelta({ index: 0, id: 'a', function: { name: 'time', arguments: '{"n":1}' } }) +
        callDelta({ index: 0, id: 'b', function: { name: 'time', arguments: '{"n":2}' } }),
      [call('a', { n: 1 }), call('b', { n: 2 })],
    ],
    [
      'no index at all, id and name with every piece',
      callDelta({ id: 'a', function: { name: 'time', arguments: '{"n"' } }) +
        callDelta({ id: 'a', function: { name: 'time', arguments: ':1}' } }),
      [call('a', { n: 1 })],
    ],
    [
      'arguments that are an object already, and none',
      callDelta({ index: 0, id: 'a', function: { name: 'time', arguments: { n: 1 } } }) +
        callDelta({ index: 1, id: 'b', function: { name: 'time', arguments: null } }),
      [call('a', { n: 1 }), call('b', {})],
    ],
    [
      'arguments that are no JSON, which the tool has to complain of',
      callDelta({ index: 0, id: 'a', function: { name: 'time', arguments: '{"n":' } }),
      [call('a', '{"n":')],
    ],
    ['what is no list of calls', `data: {"choices":[{"delta":{"content":"a","tool_calls":null}}]}\n\n`, ['a']],
  ])('%s', async (_, bytes, expected) => {
    expect(await deltasOf(bytes + done)).toEqual(expected);
  });

  it('in an answer that is not streamed', async () => {
    const { baseUrl } = await serving((response) => {
      response.setHeader('content-type', 'application/json');
      const tool_calls = [{ id: 'a', type: 'function', function: { name: 'time', arguments: '{}' } }];
      response.end(JSON.stringify({ choices: [{ message: { content: null, tool_calls } }] }));
    });
    const deltas: ReplyDelta[] = [];
    for await (const one of (await create({ baseUrl, model: 'm' })).reply(asked(user('hi')), never)) deltas.push(one);
    expect(deltas).toEqual([call('a')]);
  });

  it('get an id of their own where the server gives none, or one that was there before', async () => {
    const before: ChatMessage[] = [
      user('hi'),
      { role: 'assistant', content: '', toolCalls: [call('call_0')] },
      { role: 'tool', content: 'Noon.', callId: 'call_0' },
    ];
    const bytes =
      callDelta({ index: 0, id: 'call_0', function: { name: 'time', arguments: '{}' } }) +
      callDelta({ index: 1, id: '', function: { name: 'time', arguments: '{}' } });
    const ids = (await deltasOf(bytes + done, before)).map((one) => (one as ToolCall).id);
    expect(new Set([...ids, 'call_0']).size).toBe(3);
    for (const id of ids) expect(id).toMatch(/^[a-z0-9]{9}$/);
  });
});

describe('what a server is sent', () => {
  async function sent(...messages: ChatMessage[]) {
    const server = await serving(streamed(delta('Yes.')));
    await replyOf(await create({ baseUrl: server.baseUrl, model: 'm' }), asked(...messages));
    return server.requests.at(-1)!.body;
  }

  it('has the tools as functions', async () => {
    expect((await sent(user('hi'))).tools).toEqual([{ type: 'function', function: TOOL }]);
  });

  it('has calls and results in their places', async () => {
    const { messages } = await sent(
      user('time?'),
      { role: 'assistant', content: 'Let me see.', toolCalls: [call('a', { n: 1 }), call('b', 'no {JSON')] },
      { role: 'tool', content: 'Noon.', callId: 'a' },
      { role: 'tool', content: 'Wrong.', callId: 'b' },
      { role: 'assistant', content: 'It is noon.' },
      user('thanks'),
    );
    const sentCall = (id: string, args: string) => ({
      id,
      type: 'function',
      function: { name: 'time', arguments: args },
    });
    expect((messages as object[]).slice(1)).toEqual([
      { role: 'user', content: 'time?' },
      { role: 'assistant', content: 'Let me see.', tool_calls: [sentCall('a', '{"n":1}'), sentCall('b', '{}')] },
      { role: 'tool', content: 'Noon.', tool_call_id: 'a' },
      { role: 'tool', content: 'Wrong.', tool_call_id: 'b' },
      { role: 'assistant', content: 'It is noon.' },
      { role: 'user', content: 'thanks' },
    ]);
  });

  it('has a reply after the results, also when nothing of it was heard', async () => {
    const { messages } = await sent(
      user('time?'),
      { role: 'assistant', content: '', toolCalls: [call('a')] },
      { role: 'tool', content: 'Noon.', callId: 'a' },
      user('stop'),
    );
    expect((messages as { role: string }[]).map(({ role }) => role)).toEqual([
      'system',
      'user',
      'assistant',
      'tool',
      'assistant',
      'user',
    ]);
  });
});

describe('a server that takes no tools', () => {
  const refusing =
    (status: number, message: string) =>
    (response: ServerResponse, { body }: Received) => {
      if (!body.tools) return streamed(delta('Plainly.'))(response);
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: { message } }));
    };

  it.each([
    [400, 'registry.ollama.ai/library/gemma3 does not support tools'],
    [400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'],
    [500, 'tools param requires --jinja flag'],
  ])('(%i: %s) is asked without them, once for all, and a warning says so', async (status, message) => {
    const server = await serving(refusing(status, message));
    const warnings: string[] = [];
    const model = await create({ baseUrl: server.baseUrl, model: 'm' }, (sentence) => warnings.push(sentence));
    expect(await replyOf(model, asked(user('hi')))).toBe('Plainly.');
    expect(await replyOf(model, asked(user('hi')))).toBe('Plainly.');
    expect(server.requests.map(({ body }) => body.tools !== undefined)).toEqual([true, false, false]);
    expect(warnings).toEqual([expect.stringContaining(message)]);
    const calls: ChatMessage[] = [
      { role: 'assistant', content: '', toolCalls: [call('a')] },
      { role: 'tool', content: 'Noon.', callId: 'a' },
    ];
    await replyOf(model, asked(user('one'), ...calls, user('two')));
    expect((server.requests.at(-1)!.body.messages as object[]).slice(1)).toEqual([
      { role: 'user', content: 'one\ntwo' },
    ]);
  });

  it('only in this conversation is asked with them again', async () => {
    const server = await serving((response, { body }) => {
      const roles = (body.messages as { role: string }[]).map(({ role }) => role);
      if (!roles.includes('tool')) return streamed(delta('Yes.'))(response);
      response.writeHead(400);
      response.end('{"error":"role tool is not known"}');
    });
    const warnings: string[] = [];
    const model = await create({ baseUrl: server.baseUrl, model: 'm' }, (sentence) => warnings.push(sentence));
    const calls: ChatMessage[] = [
      { role: 'assistant', content: '', toolCalls: [call('a')] },
      { role: 'tool', content: 'Noon.', callId: 'a' },
    ];
    expect(await replyOf(model, asked(user('one'), ...calls))).toBe('Yes.');
    await replyOf(model, asked(user('two')));
    expect(server.requests.at(-1)!.body.tools).toBeDefined();
    expect(warnings).toEqual([]);
  });

  it('for another reason says the reason', async () => {
    const server = await serving(refusing(400, 'too many tokens'));
    const model = await create({ baseUrl: server.baseUrl, model: 'm' });
    await expect(replyOf(model, asked(user('hi')))).rejects.toThrow(/refused the request \(400\): too many tokens/);
    expect(server.requests).toHaveLength(1);
  });
});
