import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROTOCOL_VERSION } from '../../src/protocol/messages.ts';
import { startTestServer, type TestServer } from '../fixtures/test-server.ts';
import { WireClient } from '../fixtures/wire-client.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ limits: { textLetters: 100 } });
});
afterAll(() => server[Symbol.asyncDispose]());

const hello = JSON.stringify({ type: 'hello', version: PROTOCOL_VERSION });
const frame = (kind: number, bytes: number) => Buffer.concat([Buffer.from([kind]), Buffer.alloc(bytes - 1)]);

/** Every broken message is answered with an error, and the conversation goes on as if it had not come. */
async function survives(messages: (string | Buffer)[]): Promise<string[]> {
  const client = await WireClient.open(server.url);
  for (const message of messages) client.socket.send(message);
  await client.chat('still there?');
  client.drop();
  const errors = client.of('error');
  expect(errors.map(({ code }) => code)).toEqual(messages.map(() => 'bad_message'));
  return errors.map(({ message }) => message);
}

describe('a binary message', () => {
  it('of garbage, cut off, of odd length, of a wrong kind or empty is refused in a sentence', async () => {
    const errors = await survives([
      Buffer.concat([Buffer.from([0xff]), randomBytes(999)]),
      Buffer.alloc(0),
      frame(1, 11),
      frame(1, 13),
      frame(0, 524),
      frame(2, 524),
    ]);
    for (const [i, part] of [/kind 255/, /0 bytes/, /11 bytes/, /even/, /kind 0/, /microphone audio only/].entries()) {
      expect(errors[i]).toMatch(part);
    }
  });

  it('of nothing but a header, and of loud noise, is audio like any other', async () => {
    const client = await WireClient.open(server.url);
    client.socket.send(frame(1, 12));
    for (let i = 0; i < 40; i++) client.socket.send(Buffer.concat([frame(1, 12), randomBytes(1024)]));
    client.sound(640, false);
    await client.first('user_said');
    expect(client.of('error')).toEqual([]);
    client.drop();
  });
});

describe('a text message', () => {
  it('that is no JSON, of an unknown type, with wrong fields or nested deeply is refused in a sentence', async () => {
    const errors = await survives([
      '',
      'hello',
      '{"type":"text","text":"cut',
      'null',
      '[]',
      '42',
      '{}',
      '{"type":"sing"}',
      '{"type":"__proto__"}',
      '{"type":"text"}',
      '{"type":"text","text":{"toString":"x"}}',
      '{"type":"mic","mode":"loud"}',
      '{"type":"played","turn":-1,"samples":0}',
      '{"type":"played","turn":1.5,"samples":0}',
      '{"type":"played","turn":1,"samples":1e99}',
      '{"type":"ping","id":"1"}',
      `${'['.repeat(30_000)}${']'.repeat(30_000)}`,
      `{"type":"text","text":${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}}`,
    ]);
    expect(errors[1]).toBe('A text message must be JSON.');
    expect(errors[11]).toMatch(/mode/);
  });

  it('with reports about turns that never were changes nothing', async () => {
    const client = await WireClient.open(server.url);
    client.say({ type: 'interrupt' });
    client.say({ type: 'played', turn: 999, samples: 4_000_000_000, final: true });
    client.say({ type: 'text', text: ' \n\t ' });
    expect(await client.chat('first')).toBe(1);
    expect(client.of('error')).toEqual([]);
    client.drop();
  });

  it('of more letters than allowed is an error, and the conversation goes on', async () => {
    const client = await WireClient.open(server.url);
    client.type('x'.repeat(101));
    expect(await client.first('error')).toMatchObject({
      code: 'text_too_long',
      message: expect.stringMatching(/100 letters.*101/),
    });
    await client.chat('x'.repeat(100));
    expect(client.of('user_said')).toHaveLength(1);
    client.drop();
  });

  it('above 64 KiB is an error, and the conversation goes on', async () => {
    const client = await WireClient.open(server.url);
    client.type('x'.repeat(100_000));
    expect(await client.first('error')).toMatchObject({ code: 'too_large' });
    await client.chat('still there?');
    client.drop();
  });

  it('that is not UTF-8 closes the socket with 1007', async () => {
    const client = await WireClient.open(server.url);
    client.socket.send(Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), { binary: false });
    expect(await client.closed).toMatchObject({ code: 1007 });
  });
});

describe('a message of a megabyte', () => {
  it.each([
    ['text', (client: WireClient) => client.type('x'.repeat(1_000_000))],
    ['audio', (client: WireClient) => client.socket.send(frame(1, 1_000_000))],
  ])('of %s closes the socket with 1009, and the session can be resumed', async (_, send) => {
    const client = await WireClient.open(server.url);
    await client.chat('before');
    const before = await server.metric('voicechat_ws_closed_total{code="1009"}');
    send(client);
    expect(await client.closed).toMatchObject({ code: 1009 });
    await expect.poll(() => server.metric('voicechat_ws_closed_total{code="1009"}')).toBe(before + 1);
    const again = await WireClient.open(server.url, client.welcome.token);
    expect(again.welcome).toMatchObject({ resumed: true, session: client.welcome.session });
    expect(again.welcome.lines.map(({ text }) => text)).toContain('before');
    expect(await again.chat('after')).toBe(2);
    again.drop();
  });
});

describe('the wrong order', () => {
  it.each([
    ['audio', frame(1, 1036)],
    ['text', '{"type":"text","text":"hi"}'],
    ['garbage', 'hi'],
    ['too much', JSON.stringify({ type: 'text', text: 'x'.repeat(70_000) })],
  ])('%s before hello closes the socket with 1008', async (_, message) => {
    const client = await WireClient.connect(server.url);
    client.socket.send(message);
    expect(await client.closed).toMatchObject({ code: 1008 });
    expect(client.of('error')).toHaveLength(1);
    expect(client.of('welcome')).toEqual([]);
  });

  it('a second hello is refused and opens no second session', async () => {
    const client = await WireClient.open(server.url);
    const sessions = await server.metric('voicechat_sessions_active');
    client.socket.send(hello);
    expect(await client.first('error')).toMatchObject({ code: 'bad_message' });
    await client.chat('still there?');
    expect(client.of('welcome')).toHaveLength(1);
    expect(await server.metric('voicechat_sessions_active')).toBe(sessions);
    client.drop();
  });

  it('another version of the protocol closes the socket with 1008 and says to reload', async () => {
    const client = await WireClient.connect(server.url);
    client.socket.send(JSON.stringify({ type: 'hello', version: PROTOCOL_VERSION + 1 }));
    expect(await client.closed).toMatchObject({ code: 1008 });
    expect(client.of('error')[0]!.message).toMatch(/reload/);
  });

  it('no hello at all closes the socket with 1008', async () => {
    const client = await WireClient.connect(server.url);
    expect(await client.closed).toMatchObject({ code: 1008, reason: expect.stringMatching(/hello/) });
  });
});
