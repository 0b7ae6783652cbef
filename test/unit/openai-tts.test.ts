import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { writePcm16 } from '../../src/protocol/pcm.ts';
import { create, type OpenAiTtsSettings } from '../../src/server/engines/openai-tts.ts';
import { json, type SpeechRequest, speechServer } from '../contracts/speech-server.ts';
import { say } from '../contracts/tts-suite.ts';

type Server = Awaited<ReturnType<typeof speechServer>>;
const open: Server[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server[Symbol.asyncDispose]();
});

type Answer = (response: ServerResponse, request: SpeechRequest) => void | Promise<void>;

/** A server that answers requests for speech so, and has no list of voices unless it is given. */
async function serving(speech: Answer, voices?: unknown): Promise<Server> {
  const server = await speechServer((response, request) => {
    if (request.path.endsWith('/audio/speech')) return speech(response, request);
    if (request.path.endsWith('/audio/voices') && voices) return json(response, voices);
    return json(response, { detail: 'Not Found' }, 404);
  });
  open.push(server);
  return server;
}

async function opened(speech: Answer, settings: Partial<OpenAiTtsSettings> = {}, voices?: unknown) {
  const server = await serving(speech, voices);
  return { server, tts: await create({ baseUrl: server.baseUrl, model: 'm', ...settings }) };
}

/** A tone, -1 to 1. */
const tone = (rate: number, seconds = 0.5, hertz = 440) =>
  Float32Array.from({ length: Math.round(rate * seconds) }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hertz * i) / rate));

function pcm16(samples: Float32Array): Buffer {
  const bytes = Buffer.alloc(2 * samples.length);
  writePcm16(samples, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0);
  return bytes;
}

type WavOptions = { channels?: number; float?: boolean; bits?: number; length?: number; extra?: Buffer };

/** A WAV file, each channel the same. */
function wav(samples: Float32Array, rate: number, options: WavOptions = {}): Buffer {
  const { channels = 1, float = false, bits = float ? 32 : 16, length, extra = Buffer.alloc(0) } = options;
  const data = Buffer.alloc((samples.length * channels * bits) / 8);
  for (const [i, sample] of samples.entries()) {
    for (let c = 0; c < channels; c++) {
      const at = ((i * channels + c) * bits) / 8;
      if (float) data.writeFloatLE(sample, at);
      else if (bits === 16) data.writeInt16LE(Math.round(sample * 32_767), at);
    }
  }
  const head = Buffer.alloc(36);
  head.write('RIFF', 0, 'latin1');
  head.writeUInt32LE(0xffff_ffff, 4);
  head.write('WAVEfmt ', 8, 'latin1');
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(float ? 3 : 1, 20);
  head.writeUInt16LE(channels, 22);
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE((rate * channels * bits) / 8, 28);
  head.writeUInt16LE((channels * bits) / 8, 32);
  head.writeUInt16LE(bits, 34);
  const start = Buffer.alloc(8);
  start.write('data', 0, 'latin1');
  start.writeUInt32LE(length ?? data.length, 4);
  return Buffer.concat([head, extra, start, data]);
}

const sending =
  (bytes: Buffer, type = 'audio/pcm') =>
  (response: ServerResponse) => {
    response.writeHead(200, { 'content-type': type });
    response.end(bytes);
  };

/** How far two sounds are apart, at most, away from their ends. */
function apart(a: Float32Array, b: Float32Array): number {
  let most = 0;
  for (let i = 500; i < Math.min(a.length, b.length) - 500; i++) most = Math.max(most, Math.abs(a[i]! - b[i]!));
  return most;
}

describe('what is sent', () => {
  it('is the phrase, the voice and the speed', async () => {
    const { server, tts } = await opened(sending(pcm16(tone(24_000))), { apiKey: 'k1', voices: ['ada', 'bob'] });
    await say(tts, 'Good\u0000 morning.', 'bob', 1.5);
    await say(tts, 'Good morning.', '');
    const [, second, third] = server.requests;
    expect(second!.path).toBe('/v1/audio/speech');
    expect(second!.headers.authorization).toBe('Bearer k1');
    expect(second!.body).toEqual({
      model: 'm',
      input: 'Good morning.',
      voice: 'bob',
      response_format: 'pcm',
      speed: 1.5,
    });
    expect(third!.body).toEqual({ model: 'm', input: 'Good morning.', voice: 'ada', response_format: 'pcm' });
  });

  it.each(['', '  ', '...', '!?', '😀', '\ud800'])('is nothing for %j', async (phrase) => {
    const { server, tts } = await opened(sending(pcm16(tone(24_000))));
    const before = server.requests.length;
    expect((await say(tts, phrase)).samples).toHaveLength(0);
    expect(server.requests).toHaveLength(before);
  });

  it('asks for WAV, once for all, where PCM is refused', async () => {
    const { server, tts } = await opened((response, { body }) => {
      if (body.response_format === 'pcm') return json(response, { detail: 'unsupported response_format' }, 422);
      return sending(wav(tone(22_050), 22_050), 'audio/wav')(response);
    });
    expect(tts.rate).toBe(22_050);
    expect((await say(tts, 'Hello.')).samples).toHaveLength(11_025);
    const formats = server.requests.slice(1).map(({ body }) => body.response_format);
    expect(formats).toEqual(['pcm', 'wav', 'wav']);
  });
});

describe('the voices', () => {
  it.each([
    [{ voices: ['af_bella', 'af_sky'] }, ['af_bella', 'af_sky']],
    [
      {
        voices: [
          { id: 'a', name: 'A' },
          { id: 'b', name: 'B' },
        ],
      },
      ['a', 'b'],
    ],
    [
      [{ voice_id: 'a' }, { name: 'b' }, 'a'],
      ['a', 'b'],
    ],
    [{ data: [{ id: 'x' }] }, ['x']],
  ])('are those that the server lists: %j', async (list, expected) => {
    const { tts } = await opened(sending(pcm16(tone(24_000))), {}, list);
    expect(tts.voices).toEqual(expected);
    await expect(say(tts, 'Hello.', 'nobody')).rejects.toThrow(`choose one of ${expected.join(', ')}, or add it to`);
  });

  it('are those of the settings, if there are any', async () => {
    const { tts } = await opened(sending(pcm16(tone(24_000))), { voices: ['mine'] }, { voices: ['theirs'] });
    expect(tts.voices).toEqual(['mine']);
  });

  it("are the one of the settings and OpenAI's else, and any name is passed on", async () => {
    const { server, tts } = await opened(sending(pcm16(tone(24_000))), { voice: 'mine' });
    expect(tts.voices.slice(0, 2)).toEqual(['mine', 'alloy']);
    await say(tts, 'Hello.', 'somebody');
    expect(server.requests.at(-1)!.body.voice).toBe('somebody');
  });
});

describe('what is read', () => {
  it('is PCM, wherever it is cut', async () => {
    const sound = tone(24_000);
    const bytes = pcm16(sound);
    const { tts } = await opened(async (response) => {
      response.writeHead(200, { 'content-type': 'audio/pcm' });
      const lengths = [1, 1, 3, 7, 1_001, 4_999, 2, 1, 40_000];
      let at = 0;
      for (const length of lengths) {
        await new Promise<void>((resolve) => response.write(bytes.subarray(at, at + length), () => resolve()));
        at += length;
      }
      // And a byte too many at its end.
      response.end(Buffer.from([7]));
    });
    expect(tts.rate).toBe(24_000);
    const { samples } = await say(tts, 'Hello.');
    expect(samples).toHaveLength(sound.length);
    expect(samples.every((sample, i) => Math.abs(sample - sound[i]!) < 1e-4)).toBe(true);
  });

  it.each<[string, Buffer]>([
    ['16 bits', wav(tone(16_000), 16_000)],
    ['float', wav(tone(16_000), 16_000, { float: true })],
    ['two channels', wav(tone(16_000), 16_000, { channels: 2 })],
    ['no length', wav(tone(16_000), 16_000, { length: 0xffff_ffff })],
    ['the length 0', wav(tone(16_000), 16_000, { length: 0 })],
    ['something before its sound', wav(tone(16_000), 16_000, { extra: Buffer.from('LIST\x03\0\0\0abc\0', 'latin1') })],
    [
      'something after its sound',
      Buffer.concat([wav(tone(16_000), 16_000), Buffer.from('LIST\x04\0\0\0abcd', 'latin1')]),
    ],
  ])('is WAV with %s', async (_, bytes) => {
    const { tts } = await opened(sending(bytes, 'audio/wav'));
    expect(tts.rate).toBe(16_000);
    const { samples } = await say(tts, 'Hello.');
    expect(samples).toHaveLength(8_000);
    expect(apart(samples, tone(16_000))).toBeLessThan(1e-3);
  });

  it('has the rate that the type names', async () => {
    const { tts } = await opened(sending(pcm16(tone(48_000)), 'audio/L16; rate=48000; channels=1'));
    expect(tts.rate).toBe(48_000);
  });

  it.each([
    [22_050, 24_000],
    [44_100, 24_000],
    [16_000, 24_000],
    [48_000, 16_000],
  ])('keeps the rate of the first answer: %i becomes %i', async (later, first) => {
    let rate = first;
    const { tts } = await opened((response) => sending(wav(tone(rate), rate), 'audio/wav')(response));
    expect(tts.rate).toBe(first);
    rate = later;
    const { samples } = await say(tts, 'Hello.');
    expect(Math.abs(samples.length - first / 2)).toBeLessThanOrEqual(1);
    expect(apart(samples, tone(first))).toBeLessThan(0.005);
  });

  it('starts though the server does not answer, and takes it when it does', async () => {
    let up = false;
    const { tts } = await opened((response) =>
      up ? sending(wav(tone(16_000), 16_000))(response) : json(response, {}, 503),
    );
    expect(tts.rate).toBe(24_000);
    await expect(say(tts, 'Hello.')).rejects.toThrow(/failed \(503\)/);
    up = true;
    expect((await say(tts, 'Hello.')).samples).toHaveLength(12_000);
  });

  it('comes as it is made', async () => {
    let finish = () => {};
    let call = 0;
    const { tts } = await opened((response) => {
      response.writeHead(200, { 'content-type': 'audio/pcm' });
      response.write(pcm16(tone(24_000, 0.1)));
      finish = () => response.end(pcm16(tone(24_000, 0.1)));
      if (++call === 1) finish();
    });
    let length = 0;
    for await (const { samples } of tts.speak('Hello.', { name: '', speed: 1 }, new AbortController().signal)) {
      if (length === 0) finish();
      length += samples.length;
    }
    expect(length).toBe(4_800);
  });
});

describe('an abort', () => {
  it('closes the request', async () => {
    const { server, tts } = await opened((response) => {
      response.writeHead(200, { 'content-type': 'audio/pcm' });
      response.write(pcm16(tone(24_000)));
    });
    // The word that was said to learn the rate was not heard out.
    await server.left[1];
    const stop = new AbortController();
    let pieces = 0;
    for await (const _ of tts.speak('Hello.', { name: '', speed: 1 }, stop.signal)) {
      pieces++;
      stop.abort();
    }
    expect(pieces).toBe(1);
    await server.left[2];
  });
});

describe('an error names the fix', () => {
  it.each<[string, Answer, RegExp]>([
    ['without a key', (response) => json(response, {}, 401), /let us in \(401\)\. Set tts\.apiKey/],
    [
      'at a wrong address',
      (response) => json(response, { detail: 'Not Found' }, 404),
      /no speech \(404\)\. tts\.baseUrl/,
    ],
    [
      'without that model',
      (response) => json(response, { error: { message: 'model m is not there' } }, 404),
      /does not have the model "m"/,
    ],
    [
      'for MP3 with a tag',
      sending(Buffer.from('ID3\x04\0\0\0\0\0\0\0\0\0', 'latin1'), 'audio/mpeg'),
      /sends MP3, though/,
    ],
    ['for MP3', sending(Buffer.from([0xff, 0xfb, 0x90, 0x64, ...Array(100).fill(0)])), /sends MP3, though PCM/],
    ['for Ogg', sending(Buffer.from('OggS\0\0\0\0\0\0\0\0', 'latin1')), /sends Ogg, .+ response_format pcm or wav/],
    ['for a WAV file of 8 bits', sending(wav(tone(16_000), 16_000, { bits: 8 })), /neither 16-bit PCM nor float/],
    ['for a WAV file that breaks off', sending(wav(tone(16_000), 16_000).subarray(0, 20)), /neither 16-bit/],
    [
      'for a web page',
      sending(Buffer.from('<html>'), 'text/html'),
      /no sound but text\/html\. Check that tts\.baseUrl/,
    ],
    [
      'for an error that says it is none',
      (response) => json(response, { error: 'no memory' }),
      /no sound .+: no memory\./,
    ],
    [
      'when the connection breaks',
      (response) => {
        response.writeHead(200, { 'content-type': 'audio/pcm' });
        response.write(pcm16(tone(24_000)), () => response.socket?.destroy());
      },
      /broke off the connection/,
    ],
  ])('%s', async (_, answer, message) => {
    const { tts } = await opened(answer);
    await expect(say(tts, 'My secret.')).rejects.toThrow(message);
    await expect(say(tts, 'My secret.')).rejects.toMatchObject({ name: 'EngineError', stage: 'tts' });
  });

  it('without repeating what was to be said', async () => {
    const { tts } = await opened((response) => json(response, { detail: 'cannot say "My secret."' }, 400));
    await expect(say(tts, 'My secret.')).rejects.toThrow(/^((?!secret).)*$/);
  });

  it('when the server is silent', async () => {
    let calls = 0;
    const { tts } = await opened((response) => void (++calls === 1 && json(response, {}, 500)), { stallMs: 30 });
    await expect(say(tts, 'Hello.')).rejects.toThrow(/speech synthesis server .+ said nothing for 0\.03 s/);
  });

  it('when nothing listens', async () => {
    const server = await speechServer(() => {});
    await server[Symbol.asyncDispose]();
    const tts = await create({ baseUrl: server.baseUrl, model: '' });
    await expect(say(tts, 'Hello.')).rejects.toThrow(/Nothing listens at .+ or correct tts\.baseUrl/);
  });
});
