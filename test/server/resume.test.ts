import { describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../fixtures/test-server.ts';
import { WireClient } from '../fixtures/wire-client.ts';

const REPLY = 'One two three four five six seven.';
const long = (text: string) => `${text} ${Array.from({ length: 60 }, () => 'more').join(' ')}.`;

/** Drops the socket and comes back once the server knows, unless it is to find out by the new hello. */
async function comeBack(server: TestServer, client: WireClient, known: boolean): Promise<WireClient> {
  const dropped = await server.metric('voicechat_ws_closed_total{code="1006"}');
  client.drop();
  if (known) await expect.poll(() => server.metric('voicechat_ws_closed_total{code="1006"}')).toBe(dropped + 1);
  const again = await WireClient.open(server.url, client.welcome.token);
  expect(again.welcome).toMatchObject({ resumed: true, session: client.welcome.session });
  return again;
}

/** Another turn is answered, and nothing of the turns before it arrives. */
async function goesOn(client: WireClient, lastTurn: number): Promise<void> {
  const turn = await client.chat('next');
  expect(turn).toBeGreaterThan(lastTurn);
  expect(client.frames.filter((frame) => frame.turn !== turn)).toEqual([]);
  expect(client.of('reply_text').filter((message) => message.turn !== turn)).toEqual([]);
  expect(client.of('flush').filter((message) => message.turn < turn)).toEqual([]);
  client.drop();
}

describe.each([
  ['and the server knew', true],
  ['and the server did not know yet', false],
])('a socket dropped %s, while', (_, known) => {
  it('listening, resumes the session with its history', async () => {
    await using server = await startTestServer({ llm: { engine: 'scripted', replies: [REPLY] } });
    const client = await WireClient.open(server.url);
    const turn = await client.chat('hello');
    await client.first('state', ({ state }) => state === 'listening');
    const again = await comeBack(server, client, known);
    expect(again.welcome.lines).toEqual([
      { who: 'user', turn, text: 'hello', typed: true },
      { who: 'assistant', turn, text: REPLY, unheard: '' },
    ]);
    await goesOn(again, turn);
  });

  it('hearing, forgets half an utterance', async () => {
    await using server = await startTestServer();
    const client = await WireClient.open(server.url);
    client.sound(500, true);
    await client.first('state', ({ state }) => state === 'hearing');
    const again = await comeBack(server, client, known);
    expect(again.welcome.lines).toEqual([]);
    again.speak();
    const { turn, text } = await again.first('user_said');
    expect(text).toBe('hello');
    await again.hearAll(turn);
    expect(again.of('partial').every((message) => message.turn === turn)).toBe(true);
    await again.chat('next');
    again.drop();
  });

  it('thinking, keeps what the user said and drops the reply', async () => {
    await using server = await startTestServer({ llm: { engine: 'scripted', firstTokenMs: 600 } });
    const client = await WireClient.open(server.url);
    client.speak();
    const { turn } = await client.first('state', ({ state }) => state === 'thinking');
    await client.first('user_said');
    const again = await comeBack(server, client, known);
    expect(again.welcome.lines[0]).toEqual({ who: 'user', turn, text: 'hello', typed: false });
    expect(
      again.welcome.lines
        .slice(1)
        .map(({ text }) => text)
        .join(''),
    ).toBe('');
    await goesOn(again, turn);
  });

  it('speaking, keeps of the reply what was heard', async () => {
    await using server = await startTestServer({
      llm: { engine: 'scripted', replies: [long(REPLY), 'Yes.'] },
      speech: { leadMs: 60_000 },
    });
    const client = await WireClient.open(server.url);
    client.type('hello');
    const { turn, samples } = await client.first('reply_done');
    const words = client.of('reply_words').flatMap((message) => message.words);
    client.say({ type: 'played', turn, samples: words[2]!.end });
    // A ping is answered after what was sent before it.
    client.say({ type: 'ping', id: 1 });
    await client.first('pong');
    expect(samples).toBeGreaterThan(words[2]!.end);
    const again = await comeBack(server, client, known);
    expect(again.welcome.lines[1]).toMatchObject({ who: 'assistant', turn, text: 'One two three' });
    expect(again.welcome.lines[1]).toMatchObject({ unheard: expect.stringMatching(/^four five six seven\. more/) });
    await goesOn(again, turn);
  });

  it('cut but not yet settled, keeps of the reply what was heard', async () => {
    await using server = await startTestServer({ llm: { engine: 'scripted', replies: [long(REPLY), 'Yes.'] } });
    const client = await WireClient.open(server.url);
    client.type('hello');
    await client.speech(1, 2 * client.welcome.speechRate);
    const words = client.of('reply_words').flatMap((message) => message.words);
    client.say({ type: 'played', turn: 1, samples: words[1]!.end });
    client.say({ type: 'interrupt' });
    await client.first('flush');
    const again = await comeBack(server, client, known);
    expect(again.welcome.lines[1]).toMatchObject({ who: 'assistant', turn: 1, text: 'One two' });
    await goesOn(again, 1);
  });
});

describe('the token of a session', () => {
  it('works once', async () => {
    await using server = await startTestServer();
    const client = await WireClient.open(server.url);
    const again = await comeBack(server, client, true);
    expect(again.welcome.token).not.toBe(client.welcome.token);
    const thief = await WireClient.open(server.url, client.welcome.token);
    expect(thief.welcome).toMatchObject({ resumed: false, lines: [] });
    expect(thief.welcome.session).not.toBe(client.welcome.session);
    await again.chat('still mine');
    thief.drop();
    again.drop();
  });

  it('gives the session to a second tab, and the first is closed with 4001', async () => {
    await using server = await startTestServer();
    const first = await WireClient.open(server.url);
    await first.chat('hello');
    const second = await WireClient.open(server.url, first.welcome.token);
    expect(await first.closed).toMatchObject({ code: 4001 });
    expect(first.of('error')).toMatchObject([{ code: 'taken_over' }]);
    expect(second.welcome).toMatchObject({ resumed: true, session: first.welcome.session });
    const told = first.messages.length;
    await second.chat('hello again');
    expect(first.messages).toHaveLength(told);
    expect(await server.metric('voicechat_sessions_active')).toBe(1);
    second.drop();
  });

  it('is worth nothing once the session has expired', async () => {
    await using server = await startTestServer({ limits: { resumeSeconds: 0 } });
    const client = await WireClient.open(server.url);
    await client.chat('hello');
    client.drop();
    await expect.poll(() => server.metric('voicechat_sessions_total{outcome="expired"}')).toBe(1);
    const again = await WireClient.open(server.url, client.welcome.token);
    expect(again.welcome).toMatchObject({ resumed: false, lines: [] });
    await again.chat('hello');
    again.drop();
  });
});
