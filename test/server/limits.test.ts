import { describe, expect, it } from 'vitest';
import { startTestServer } from '../fixtures/test-server.ts';
import { WireClient } from '../fixtures/wire-client.ts';

describe('a client that sends too much', () => {
  it('of audio, ten times as fast as it is spoken, is told so and closed with 1008', async () => {
    await using server = await startTestServer();
    const client = await WireClient.open(server.url);
    client.sound(30_000, false);
    expect(await client.closed).toMatchObject({ code: 1008, reason: expect.stringMatching(/real time/) });
    expect(client.of('error')).toMatchObject([{ code: 'too_fast' }]);
    // Twelve seconds and what real time allows on top; each frame is 32 ms.
    const taken = await server.metric('voicechat_mic_frames_total');
    expect(taken).toBeGreaterThanOrEqual(375);
    expect(taken).toBeLessThan(600);
    const again = await WireClient.open(server.url, client.welcome.token);
    expect(again.welcome.resumed).toBe(true);
    await again.chat('hello');
    again.drop();
  });

  it('of messages is closed with 1008', async () => {
    await using server = await startTestServer({ limits: { messagesPerSecond: 10 } });
    const client = await WireClient.open(server.url);
    for (let id = 0; id < 2_000; id++) client.say({ type: 'ping', id });
    expect(await client.closed).toMatchObject({ code: 1008, reason: expect.stringMatching(/messages per second/) });
    // The burst that is allowed was answered.
    expect(client.of('pong').length).toBeGreaterThanOrEqual(400);
    expect(client.of('pong').length).toBeLessThan(1_000);
  });

  it('of broken messages is closed with 1008', async () => {
    await using server = await startTestServer();
    const client = await WireClient.open(server.url);
    for (let i = 0; i < 30; i++) client.socket.send('hello?');
    expect(await client.closed).toMatchObject({ code: 1008 });
    expect(client.of('error')).toHaveLength(21);
  });
});

describe('a client that does not read', () => {
  it('is cut off, and no other session waits for it', async () => {
    const reply = Array.from({ length: 300 }, () => 'word').join(' ');
    await using server = await startTestServer({
      llm: { engine: 'scripted', replies: [`${reply}.`] },
      tts: { engine: 'scripted', rate: 48_000, chunkMs: 500, chunkDelayMs: 1 },
      speech: { leadMs: 60_000 },
      limits: { outboundBytes: 262_144 },
    });
    const slow = await WireClient.open(server.url);
    const other = await WireClient.open(server.url);
    slow.socket.pause();
    const cutOff = () => server.log.some((line) => line.includes('reads too slowly'));
    let turns = 0;
    // What the kernel buffers for the slow one has to be filled first: some 5 MB of speech per turn.
    while (!cutOff() && turns < 40) {
      slow.type('talk');
      await other.chat('talk');
      turns++;
    }
    expect(cutOff()).toBe(true);
    await other.chat('still there?');
    await expect.poll(() => server.metric('voicechat_ws_closed_total{code="4008"}'), { timeout: 10_000 }).toBe(1);
    slow.socket.resume();
    expect((await slow.closed).code).toBeOneOf([4008, 1006]);
    const again = await WireClient.open(server.url, slow.welcome.token);
    expect(again.welcome.resumed).toBe(true);
    await again.chat('talk');
    again.drop();
    other.drop();
  });
});

describe('sessions', () => {
  it('above the limit are refused with 1013, and the first that ends makes room', async () => {
    await using server = await startTestServer({ limits: { sessions: 2 } });
    const [one, two] = [await WireClient.open(server.url), await WireClient.open(server.url)];
    const three = await WireClient.connect(server.url);
    three.say({ type: 'hello', version: one.welcome.version });
    expect(await three.closed).toMatchObject({ code: 1013 });
    expect(three.of('error')).toMatchObject([{ code: 'server_busy' }]);
    await two.chat('still there?');
    one.say({ type: 'bye' });
    expect(await one.closed).toMatchObject({ code: 1000 });
    const four = await WireClient.open(server.url);
    await four.chat('hello');
    two.drop();
    four.drop();
  });

  it('that say nothing for long are closed with 4000', async () => {
    await using server = await startTestServer({ limits: { idleMinutes: 0.03 } });
    const client = await WireClient.open(server.url);
    // Silence is nothing said.
    client.sound(640, false);
    expect(await client.closed).toMatchObject({ code: 4000 });
  });

  it('end after their longest time with 1001, whatever is said, and the token is worth nothing then', async () => {
    await using server = await startTestServer({ limits: { sessionMinutes: 0.02 } });
    const client = await WireClient.open(server.url);
    expect(await client.closed).toMatchObject({ code: 1001 });
    const again = await WireClient.open(server.url, client.welcome.token);
    expect(again.welcome.resumed).toBe(false);
    again.drop();
  });

  it('with more to show than one message may hold are resumed with the latest of it', async () => {
    await using server = await startTestServer({ limits: { outboundBytes: 65_536 } });
    const client = await WireClient.open(server.url);
    for (let i = 0; i < 20; i++) await client.chat(`${i} ${'ä'.repeat(3_990)}`);
    client.drop();
    const again = await WireClient.open(server.url, client.welcome.token);
    expect(again.welcome.resumed).toBe(true);
    const { lines } = again.welcome;
    expect(lines.length).toBeGreaterThan(4);
    expect(lines.findLast(({ who }) => who === 'user')!.text).toMatch(/^19 ä+$/);
    expect(lines.length).toBeLessThan(40);
    await again.chat('hello');
    again.drop();
  });
});
