import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { ChatMessage, ReplyDelta } from '../../src/server/engines/contracts.ts';
import { create, type OpenAiLlmSettings, probe } from '../../src/server/engines/openai-llm.ts';
import { delta, llmServer, type Received, stream } from '../contracts/llm-server.ts';
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

/** What comes of one answer. */
async function replyTo(answer: (response: ServerResponse) => void, settings: Partial<OpenAiLlmSettings> = {}) {
  const { baseUrl } = await serving(answer);
  return replyOf(await create({ baseUrl, model: 'tiny', ...settings }), request(user('my secret question')));
}

const streamed = (bytes: string) => (response: ServerResponse) => {
  stream(response);
  response.end(bytes);
};
const failing = (status: number, body: object | string) => (response: ServerResponse) => {
  response.writeHead(status, { 'content-type': typeof body === 'string' ? 'text/html' : 'application/json' });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
};

describe('what is sent', () => {
  /** The request a conversation becomes. */
  async function sent(messages: ChatMessage[], settings: Partial<OpenAiLlmSettings> = {}) {
    const server = await serving(streamed(delta('Yes.')));
    await replyOf(await create({ baseUrl: server.baseUrl, model: 'tiny', ...settings }), request(...messages));
    return server.requests.at(-1)!;
  }
  const talk = (received: Received) => (received.body.messages as ChatMessage[]).slice(1);
  const system = (received: Received) => (received.body.messages as ChatMessage[])[0]!;

  it('asks for a stream with the settings and the key', async () => {
    const received = await sent([user('hi')], { temperature: 0.3, maxTokens: 50, apiKey: 'k1' });
    expect(received.path).toBe('/v1/chat/completions');
    expect(received.body).toMatchObject({ model: 'tiny', stream: true, temperature: 0.3, max_tokens: 50 });
    expect(received.headers.authorization).toBe('Bearer k1');
  });

  it('has one system message, with the facts in one sentence', async () => {
    const received = await sent([
      { role: 'system', content: 'Be brief.' },
      user('hi'),
      { role: 'system', content: 'Be kind.' },
    ]);
    expect(system(received)).toEqual({
      role: 'system',
      content:
        'Be brief.\n\nBe kind.\n\nIf you are asked what you run on: voice detection silero v5, speech recognition pocketsphinx (en-us), language model the one under test, voice flite.',
    });
    expect(talk(received)).toEqual([{ role: 'user', content: 'hi' }]);
  });

  it('has none where there is nothing to say in it', async () => {
    const server = await serving(streamed(delta('Yes.')));
    const situation = { engines: { vad: '', asr: '', llm: '', tts: '' } };
    await replyOf(await create({ baseUrl: server.baseUrl, model: 'tiny' }), { messages: [user('hi')], situation });
    expect(server.requests.at(-1)!.body.messages).toEqual([{ role: 'user', content: 'hi' }]);
  });

  it('tells the latency only when it is asked for, so that the server need not read all anew in each turn', async () => {
    expect(system(await sent([user('hi')])).content).not.toContain('640');
    expect(system(await sent([user('how fast are you')])).content).toContain('640 ms');
  });

  it('merges what one side said in a row, leaves out what is empty, and marks what was cut', async () => {
    const received = await sent([
      user('hello'),
      { role: 'assistant', content: '', cut: true },
      user('are you there'),
      { role: 'assistant', content: 'Yes, I am', cut: true },
      user('good'),
      { role: 'assistant', content: 'So...', cut: true },
      user(' '),
      { role: 'assistant', content: 'Well.' },
      user('go on'),
    ]);
    expect(talk(received)).toEqual([
      { role: 'user', content: 'hello\nare you there' },
      { role: 'assistant', content: 'Yes, I am…' },
      { role: 'user', content: 'good' },
      { role: 'assistant', content: 'So...\nWell.' },
      { role: 'user', content: 'go on' },
    ]);
  });

  it('takes the first model of the server when none is named, and asks for it once', async () => {
    const server = await serving((response, { path }) => {
      if (path === '/v1/models') response.end(JSON.stringify({ data: [{ id: 'first' }, { id: 'second' }] }));
      else streamed(delta('Yes.'))(response);
    });
    const model = await create({ baseUrl: server.baseUrl, model: '' });
    await replyOf(model, request(user('hi')));
    await replyOf(model, request(user('hi')));
    expect(server.requests.map(({ path, body }) => [path, body.model])).toEqual([
      ['/v1/models', undefined],
      ['/v1/chat/completions', 'first'],
      ['/v1/chat/completions', 'first'],
    ]);
  });

  it.each(['', '/', '/v1/', '/v1/chat/completions'])('finds the address from one that ends in "%s"', async (end) => {
    const server = await serving(streamed(delta('Yes.')));
    await replyOf(await create({ baseUrl: server.baseUrl.replace(/\/v1$/, end), model: 'm' }), request(user('hi')));
    expect(server.requests[0]?.path).toBe('/v1/chat/completions');
  });
});

describe('what is read', () => {
  it('puts together events that are cut anywhere, even within a letter', async () => {
    const bytes = Buffer.from(
      `: comment\r\n\r\n${delta('Grüß ').replaceAll('\n', '\r\n')}${delta('dich 😀.')}data: [DONE]\n\n`,
    );
    const text = await replyTo((response) => {
      stream(response);
      let at = 0;
      const next = () => {
        if (at === bytes.length) return void response.end();
        response.write(bytes.subarray(at, ++at), next);
      };
      next();
    });
    expect(text).toBe('Grüß dich 😀.');
  });

  it.each([
    ['lone carriage returns', `${delta('a').replaceAll('\n', '\r')}${delta('b').replaceAll('\n', '\r')}`, 'ab'],
    [
      'data without a space, and other fields',
      'event: x\nid: 1\ndata:{"choices":[{"delta":{"content":"a"}}]}\n\n',
      'a',
    ],
    ['data in two lines', 'data: {"choices":\ndata: [{"delta":{"content":"a"}}]}\n\n', 'a'],
    ['no empty line at the end', delta('a').trimEnd(), 'a'],
    ['nothing after [DONE]', `${delta('a')}data: [DONE]\n\n${delta('b')}`, 'a'],
    [
      'roles, empty choices and counts',
      `data: {"choices":[{"delta":{"role":"assistant"}}]}\n\n${delta('a')}data: {"choices":[],"usage":{}}\n\ndata: {"type":"ping"}\n\n`,
      'a',
    ],
    [
      'what the model thinks',
      `data: {"choices":[{"delta":{"reasoning_content":"hm","reasoning":"hm","content":null}}]}\n\n${delta('a')}`,
      'a',
    ],
    [
      'content in parts',
      'data: {"choices":[{"delta":{"content":[{"type":"text","text":"a"},{"type":"image"}]}}]}\n\n',
      'a',
    ],
  ])('understands %s', async (_, bytes, text) => {
    expect(await replyTo(streamed(bytes))).toBe(text);
  });

  it('takes a whole answer from a server that does not stream', async () => {
    expect(await replyTo(failing(200, { choices: [{ message: { content: 'All at once.' } }] }))).toBe('All at once.');
  });
});

describe('an abort', () => {
  it('closes the request, before and within the answer', async () => {
    for (const begins of [false, true]) {
      const server = await serving((response) => {
        stream(response);
        if (begins) response.write(delta('On and on'));
        else response.flushHeaders();
      });
      const abort = new AbortController();
      const model = await create({ baseUrl: server.baseUrl, model: 'tiny' });
      const tokens: ReplyDelta[] = [];
      const reading = (async () => {
        for await (const token of model.reply(request(user('hi')), abort.signal)) {
          tokens.push(token);
          abort.abort();
        }
      })();
      if (!begins) {
        while (server.requests.length === 0) await new Promise(setImmediate);
        abort.abort();
      }
      await reading;
      await server.left[0];
      expect(tokens).toEqual(begins ? ['On and on'] : []);
    }
  });

  it('is what leaving the reply early comes to', async () => {
    const server = await serving((response) => {
      stream(response);
      response.write(delta('On and on'));
    });
    const model = await create({ baseUrl: server.baseUrl, model: 'tiny' });
    for await (const _ of model.reply(request(user('hi')), new AbortController().signal)) break;
    await server.left[0];
  });
});

describe('an error names the fix', () => {
  it('when nothing listens', async () => {
    const socket = createServer().listen(0, '127.0.0.1');
    await once(socket, 'listening');
    const { port } = socket.address() as { port: number };
    await new Promise((resolve) => socket.close(resolve));
    const settings = { baseUrl: `http://127.0.0.1:${port}/v1`, model: 'm' };
    const message = `Nothing listens at ${settings.baseUrl}. Is the language model server running there? Start it, or correct llm.baseUrl.`;
    await expect(replyOf(await create(settings), request(user('hi')))).rejects.toMatchObject({
      name: 'EngineError',
      stage: 'llm',
      message,
    });
    await expect(probe(settings, new AbortController().signal)).rejects.toThrow(message);
  });

  it.each<[string, (response: ServerResponse) => void, RegExp]>([
    ['without a key', failing(401, { error: { message: 'no' } }), /does not let us in \(401\)\. Set llm\.apiKey\./],
    [
      'without that model',
      failing(404, { error: { message: 'model "tiny" not found' } }),
      /does not have the model "tiny"\. Load it there/,
    ],
    [
      'at a wrong address',
      failing(404, 'Not found'),
      /has no chat completions \(404\)\. llm\.baseUrl mostly ends in \/v1/,
    ],
    [
      'when it is overloaded',
      failing(429, { error: { message: 'slow down' } }),
      /too much to do \(429\): slow down\. Wait/,
    ],
    ['when it fails', failing(500, { error: { message: 'out of memory' } }), /failed \(500\): out of memory\. Its log/],
    [
      'when it refuses',
      failing(400, { message: 'too many tokens' }),
      /refused the request \(400\): too many tokens\. Check/,
    ],
    ['when it is a web page', failing(200, '<html>'), /no chat completion\. Check that llm\.baseUrl/],
    [
      'within the stream',
      streamed(`${delta('a')}data: {"error":{"message":"gone wrong"}}\n\n`),
      /broke off its reply: gone wrong\./,
    ],
    ['for an empty stream', streamed('data: [DONE]\n\n'), /without a word/],
    [
      'for thoughts without an end',
      streamed('data: {"choices":[{"delta":{"reasoning_content":"hm"},"finish_reason":"length"}]}\n\n'),
      /Raise llm\.maxTokens/,
    ],
    [
      'when the connection breaks',
      (response) => {
        stream(response);
        response.write(delta('a'), () => response.socket?.destroy());
      },
      /broke off the connection/,
    ],
  ])('%s', async (_, answer, message) => {
    await expect(replyTo(answer)).rejects.toThrow(message);
    await expect(replyTo(answer)).rejects.toMatchObject({ name: 'EngineError', stage: 'llm' });
  });

  it('when the server is silent', async () => {
    await expect(replyTo((response) => stream(response), { stallMs: 30 })).rejects.toThrow(
      /said nothing for 0\.03 s\. Is it still loading/,
    );
  });

  it('when it has no model to take', async () => {
    await expect(replyTo(failing(200, { data: [] }), { model: '' })).rejects.toThrow(/lists no model\. Load one there/);
  });

  it('without repeating what was said', async () => {
    const error = { error: { message: 'invalid input: my secret question' } };
    await expect(replyTo(failing(400, error))).rejects.toThrow(/^((?!secret).)*$/);
  });

  it('and the next reply works', async () => {
    let calls = 0;
    const { baseUrl } = await serving((response) =>
      (++calls === 1 ? failing(500, '') : streamed(delta('Back.')))(response),
    );
    const model = await create({ baseUrl, model: 'm' });
    await expect(replyOf(model, request(user('hi')))).rejects.toThrow();
    expect(await replyOf(model, request(user('hi')))).toBe('Back.');
  });
});

it('probe lists the models', async () => {
  const { baseUrl } = await serving(failing(200, { data: [{ id: 'a' }, { id: 'b' }] }));
  expect(await probe({ baseUrl }, new AbortController().signal)).toEqual(['a', 'b']);
});
