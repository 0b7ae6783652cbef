import type { ServerResponse } from 'node:http';
import { connect, createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Transcript } from '../../src/server/engines/contracts.ts';
import { create, type OpenAiAsrSettings } from '../../src/server/engines/openai-asr.ts';
import { noise, recognise } from '../contracts/asr-suite.ts';
import { json, type SpeechRequest, speechServer } from '../contracts/speech-server.ts';

type Server = Awaited<ReturnType<typeof speechServer>>;
const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server[Symbol.asyncDispose]();
});

async function serving(answer: (response: ServerResponse, request: SpeechRequest) => void): Promise<Server> {
  const server = await speechServer(answer);
  open.push(server);
  return server;
}

const second = noise(1, 0.3);

/** All transcripts of one second of noise. */
async function heard(answer: (response: ServerResponse) => void, settings: Partial<OpenAiAsrSettings> = {}) {
  const { baseUrl } = await serving(answer);
  return recognise(await create({ baseUrl, model: 'm', ...settings }), second);
}

const answering =
  (body: string, type = 'application/json', status = 200) =>
  (response: ServerResponse) => {
    response.writeHead(status, { 'content-type': type });
    response.end(body);
  };
const events = (...list: object[]) =>
  answering(
    `${list.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')}data: [DONE]\n\n`,
    'text/event-stream',
  );
const texts = (transcripts: readonly Transcript[]) => transcripts.map(({ text, final }) => [text, final]);

describe('what is sent', () => {
  it('is the utterance as a WAV file, with model, language and hot words', async () => {
    const server = await serving((response) => json(response, { text: 'hi' }));
    const settings = { model: 'large', language: 'de', hotWords: ['Gruyère', 'Ada'], apiKey: 'k1' };
    const asr = await create({ baseUrl: server.baseUrl, ...settings });
    await recognise(asr, second, [700, 3]);
    const [request] = server.requests;
    expect(request!.path).toBe('/v1/audio/transcriptions');
    expect(request!.headers.authorization).toBe('Bearer k1');
    expect(request!.fields).toEqual({
      model: 'large',
      language: 'de',
      prompt: 'Gruyère, Ada',
      response_format: 'json',
      stream: 'true',
    });
    expect(request!.samples).toHaveLength(second.length);
    expect(request!.samples.every((sample, i) => Math.abs(sample - second[i]!) < 1e-4)).toBe(true);
  });

  it('is nothing for less than a tenth of a second', async () => {
    const server = await serving(() => expect.unreachable());
    const asr = await create({ baseUrl: server.baseUrl, model: 'm' });
    expect(texts(await recognise(asr, second.slice(0, 1_500)))).toEqual([['', true]]);
    expect(server.requests).toEqual([]);
  });

  it.each([
    [
      {
        data: [
          { id: 'kokoro', task: 'text-to-speech' },
          { id: 'x', task: 'automatic-speech-recognition' },
        ],
      },
      'x',
    ],
    [{ data: [{ id: 'llama' }, { id: 'Systran/faster-whisper-small' }] }, 'Systran/faster-whisper-small'],
    [{ data: [{ id: 'anything' }] }, 'anything'],
    [{ data: [{ id: 'llama' }, { id: 'mistral' }] }, 'whisper-1'],
    ['Not found', 'whisper-1'],
  ])('names the model that fits, of %j: %s', async (list, expected) => {
    const server = await serving((response, { path }) => {
      if (path === '/v1/models') json(response, list, typeof list === 'string' ? 404 : 200);
      else json(response, { text: 'hi' });
    });
    const asr = await create({ baseUrl: server.baseUrl, model: '' });
    await recognise(asr, second);
    await recognise(asr, second);
    expect(server.requests.map(({ fields }) => fields.model)).toEqual([undefined, expected, expected]);
  });

  it('does not ask for a stream again from a server that refuses one', async () => {
    const server = await serving((response, { fields }) => {
      if (fields.stream) json(response, { error: { message: 'stream is not supported' } }, 400);
      else json(response, { text: 'hi' });
    });
    const asr = await create({ baseUrl: server.baseUrl, model: 'm' });
    for (let i = 0; i < 2; i++) expect(texts(await recognise(asr, second))).toEqual([['hi', true]]);
    expect(server.requests.map(({ fields }) => fields.stream)).toEqual(['true', undefined, undefined]);
  });
});

describe('what is read', () => {
  it.each<[string, (response: ServerResponse) => void, [string, boolean][]]>([
    ['JSON', answering('{"text":" Hello there. "}'), [['Hello there.', true]]],
    ['plain text', answering('Hello there.\n', 'text/plain'), [['Hello there.', true]]],
    ['segments', answering('{"segments":[{"text":" Hello"},{"text":" there."}]}'), [['Hello there.', true]]],
    ['an empty text', answering('{"text":""}'), [['', true]]],
    ['no words', answering('{"text":"[BLANK_AUDIO]"}'), [['', true]]],
    ['no words in words', answering('{"text":" (soft music playing) "}'), [['', true]]],
    ['words in parentheses', answering('{"text":"Hello (there)."}'), [['Hello (there).', true]]],
    [
      "OpenAI's stream",
      events(
        { type: 'transcript.text.delta', delta: 'Hel' },
        { type: 'transcript.text.delta', delta: 'lo there' },
        { type: 'transcript.text.done', text: 'Hello there.' },
      ),
      [
        ['Hel', false],
        ['Hello there', false],
        ['Hello there.', true],
      ],
    ],
    [
      'a stream of chat pieces',
      events(
        { choices: [{ delta: { content: 'Hello' } }] },
        { choices: [{ delta: { content: ' there.' } }] },
        { usage: {} },
      ),
      [
        ['Hello', false],
        ['Hello there.', true],
      ],
    ],
    [
      'a stream of segments',
      events({ text: ' Hello' }, { text: ' there.' }),
      [
        ['Hello', false],
        ['Hello there.', true],
      ],
    ],
    ['a stream of nothing said', events({ type: 'transcript.text.done', text: '' }), [['', true]]],
  ])('%s', async (_, answer, expected) => {
    expect(texts(await heard(answer))).toEqual(expected);
  });

  it('partial texts as they come', async () => {
    let finish = () => {};
    const { baseUrl } = await serving((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: {"type":"transcript.text.delta","delta":"One"}\n\n');
      response.write('data: {"type":"transcript.text.delta","delta":" two"}\n\n');
      finish = () => response.end('data: {"type":"transcript.text.done","text":"One two."}\n\n');
    });
    const asr = await create({ baseUrl, model: 'm' });
    const speech = (async function* () {
      yield second;
    })();
    const got: string[] = [];
    for await (const { text } of asr.recognize(speech, new AbortController().signal)) {
      if (got.push(text) === 1) finish();
    }
    expect(got).toEqual(['One', 'One two', 'One two.']);
  });
});

describe('an abort', () => {
  it.each([false, true])('closes the request (its answer begun: %s)', async (begun) => {
    const server = await serving((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.flushHeaders();
      if (!begun) return;
      for (const delta of ['a', 'b']) {
        response.write(`data: ${JSON.stringify({ type: 'transcript.text.delta', delta })}\n\n`);
      }
    });
    const asr = await create({ baseUrl: server.baseUrl, model: 'm' });
    const stop = new AbortController();
    const speech = (async function* () {
      yield second;
    })();
    const got: Transcript[] = [];
    const reading = (async () => {
      for await (const transcript of asr.recognize(speech, stop.signal)) {
        got.push(transcript);
        stop.abort();
      }
    })();
    while (server.requests.length === 0) await new Promise(setImmediate);
    if (!begun) stop.abort();
    await reading;
    await server.left[0];
    expect(texts(got)).toEqual(begun ? [['a', false]] : []);
  });
});

describe('an error names the fix', () => {
  it.each<[string, (response: ServerResponse) => void, RegExp]>([
    ['without a key', answering('{}', 'application/json', 401), /lets? us in \(401\)\. Set asr\.apiKey\./],
    ['at a wrong address', answering('Not found', 'text/html', 404), /no transcriptions \(404\)\. asr\.baseUrl mostly/],
    [
      'without that model',
      answering('{"error":{"message":"model m not found"}}', 'application/json', 404),
      /does not have the model "m"\. Load it there, correct asr\.model/,
    ],
    ['when it is a web page', answering('<html>', 'text/html'), /no transcription\. Check that asr\.baseUrl/],
    ['when it is something else', answering('{"foo":1}'), /no transcription\. Check/],
    ['when it fails', answering('{"detail":"no memory"}', 'application/json', 500), /failed \(500\): no memory\./],
    ['within the stream', events({ error: { message: 'gone' } }), /broke off: gone\./],
    ['for an empty stream', events(), /without a text/],
    [
      'when the connection breaks',
      (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write('data: {"delta":"a"}\n\n', () => response.socket?.destroy());
      },
      /broke off the connection/,
    ],
  ])('%s', async (_, answer, message) => {
    await expect(heard(answer)).rejects.toThrow(message);
    await expect(heard(answer)).rejects.toMatchObject({ name: 'EngineError', stage: 'asr' });
  });

  it('when the server is silent', async () => {
    await expect(heard(() => {}, { stallMs: 30 })).rejects.toThrow(
      /speech recognition server .+ said nothing for 0\.03 s/,
    );
  });

  it('when nothing listens', async () => {
    const server = await speechServer(() => {});
    await server[Symbol.asyncDispose]();
    const asr = await create({ baseUrl: server.baseUrl, model: 'm' });
    await expect(recognise(asr, second)).rejects.toThrow(/Nothing listens at .+ Start it, or correct asr\.baseUrl/);
  });
});

it('asks again when a connection that was kept turns out to be closed', async () => {
  const { baseUrl } = await serving((response) => json(response, { text: 'hi' }));
  let connections = 0;
  // Drops the first connection at its first byte, as a server does that has just closed it.
  const front = createServer((socket) => {
    socket.on('error', () => {});
    if (++connections === 1) return void socket.once('data', () => socket.resetAndDestroy());
    const back = connect(Number(new URL(baseUrl).port), '127.0.0.1');
    back.on('error', () => {});
    socket.pipe(back).pipe(socket);
  });
  front.listen(0, '127.0.0.1');
  await new Promise((resolve) => front.once('listening', resolve));
  open.push({
    async [Symbol.asyncDispose]() {
      front.close();
    },
  });
  const { port } = front.address() as { port: number };
  const asr = await create({ baseUrl: `http://127.0.0.1:${port}/v1`, model: 'm' });
  expect(texts(await recognise(asr, second))).toEqual([['hi', true]]);
  expect(connections).toBe(2);
});
