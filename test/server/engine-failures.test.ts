import { describe, expect, it } from 'vitest';
import { startTestServer } from '../fixtures/test-server.ts';
import { WireClient } from '../fixtures/wire-client.ts';

/**
 * The call that goes wrong, counted from each process's first: one is its trial at the start, then comes a turn that works,
 * then one that does not. The process that replaces it is tried out and works for the next turn.
 */
const failOnCall = 3;

const STAGES = [
  ['asr', {}, (client: WireClient) => client.speak()],
  ['llm', {}, (client: WireClient) => client.type('hello')],
  ['tts', {}, (client: WireClient) => client.type('hello')],
] as const;
const FAILURES = ['crash', 'hang', 'block'] as const;
const cases = STAGES.flatMap(([stage, more, act]) => FAILURES.map((failure) => [stage, failure, more, act] as const));

const config = (stage: string, failure: string, more: object = {}) => ({
  llm: { engine: 'scripted', replies: ['All right.'] },
  [stage]: {
    engine: 'scripted',
    ...(stage === 'llm' ? { replies: ['All right.'] } : {}),
    ownProcess: true,
    failOnCall,
    failure,
    ...more,
  },
  limits: { stallSeconds: 1 },
});

const said = { crash: /crashed/, hang: /hung/, block: /hung/ };

describe.concurrent('an engine process', () => {
  it.each(cases)('of the stage %s whose call ends in a %s is told to the user and replaced', async (...one) => {
    const [stage, failure, more, act] = one;
    await using server = await startTestServer(config(stage, failure, more));
    const client = await WireClient.open(server.url);
    act(client);
    await client.hearAll((await client.first('user_said')).turn);
    await client.first('state', ({ state, turn }) => state === 'listening' && turn === 1);

    act(client);
    const error = await client.first('error');
    expect(error).toMatchObject({
      code: 'engine_failed',
      stage,
      turn: 2,
      message: expect.stringMatching(said[failure]),
    });
    await client.first('state', ({ state, turn }) => state === 'listening' && turn === 2);
    const notice = await client.first('notice');
    expect(notice.text).toMatch(said[failure]);
    await client.first('notice', ({ text }) => text.includes('is running again'));

    act(client);
    const { turn } = await client.first('user_said', (message) => message.turn === 3);
    await client.hearAll(turn);
    expect(client.samples(turn)).toBeGreaterThan(0);
    await client.first('state', (message) => message.state === 'listening' && message.turn === 3);
    expect(client.of('error')).toHaveLength(1);
    expect(await server.metric(`voicechat_engine_restarts{stage="${stage}"}`)).toBe(1);
    expect(await server.metric(`voicechat_engine_up{stage="${stage}"}`)).toBe(1);
    expect(await server.metric(`voicechat_engine_errors_total{stage="${stage}"}`)).toBe(1);
    expect(await server.metric('voicechat_turns_total{outcome="completed"}')).toBe(2);
    expect(await server.metric('voicechat_turns_total{outcome="failed"}')).toBe(1);
    client.drop();
  });

  it.each(FAILURES)(
    'of the stage vad whose microphone ends in a %s is told to the user and replaced',
    async (failure) => {
      await using server = await startTestServer(config('vad', failure, { failAfter: 10 }));
      const first = await WireClient.open(server.url);
      first.speak();
      await first.first('user_said');
      first.say({ type: 'bye' });
      await first.closed;

      const client = await WireClient.open(server.url);
      client.speak();
      const error = await client.first('error');
      expect(error).toMatchObject({
        code: 'engine_failed',
        stage: 'vad',
        message: expect.stringMatching(said[failure]),
      });
      // Nobody has to speak for the conversation to go on.
      await client.chat('hello');
      await client.first('notice', ({ text }) => text.includes('is running again'));
      client.speak();
      const { turn } = await client.first('user_said', ({ typed }) => !typed);
      await client.hearAll(turn);
      expect(client.of('error')).toHaveLength(1);
      client.drop();
    },
  );

  it('that fails in words says them, and is not replaced', async () => {
    await using server = await startTestServer(config('llm', 'error'));
    const client = await WireClient.open(server.url);
    await client.chat('one');
    client.type('two');
    expect(await client.first('error')).toMatchObject({
      stage: 'llm',
      turn: 2,
      message: expect.stringMatching(/told to/),
    });
    await client.chat('three');
    expect(client.of('notice')).toEqual([]);
    expect(await server.metric('voicechat_engine_restarts{stage="llm"}')).toBe(0);
    client.drop();
  });

  it('that crashes in the middle of a reply lets what was spoken stand', async () => {
    const over = config('tts', 'crash', { failAfter: 4, chunkDelayMs: 20 });
    await using server = await startTestServer({
      ...over,
      llm: { engine: 'scripted', replies: ['One. ', 'One two three four five six.'] },
    });
    const client = await WireClient.open(server.url);
    await client.chat('hello');
    client.type('again');
    await client.first('error');
    await client.hearAll(2);
    await client.first('state', ({ state, turn }) => state === 'listening' && turn === 2);
    expect(client.samples(2)).toBeGreaterThan(0);
    expect(client.samples(2)).toBeLessThanOrEqual(4 * 0.08 * client.welcome.speechRate);
    await client.chat('and again');
    client.drop();
  });

  it('that is down when a turn begins is waited for', async () => {
    await using server = await startTestServer(config('llm', 'crash'));
    const client = await WireClient.open(server.url);
    await client.chat('one');
    client.type('two');
    await client.first('notice');
    expect(await client.chat('three')).toBe(3);
    expect(client.of('error')).toHaveLength(1);
    client.drop();
  });

  it('that crashes again and again is down meanwhile, which /readyz says', async () => {
    await using server = await startTestServer(config('llm', 'crash'));
    const ready = async () => {
      const response = await fetch(`${server.url}/readyz`);
      return {
        status: response.status,
        ...((await response.json()) as { ready: boolean; stages: Record<string, string> }),
      };
    };
    const client = await WireClient.open(server.url);
    for (let crash = 1; crash <= 2; crash++) {
      await client.chat('works');
      client.type('crashes');
      while (client.of('error').length < crash) await client.more();
      if (crash < 2) while (client.of('notice').length < 2) await client.more();
    }
    // The second replacement waits half a second before it is tried.
    expect(await ready()).toMatchObject({ status: 503, ready: false, stages: { llm: 'is being replaced' } });
    expect(await server.metric('voicechat_engine_up{stage="llm"}')).toBe(0);
    expect((await fetch(`${server.url}/livez`)).status).toBe(200);
    while (client.of('notice').length < 4) await client.more();
    expect(await ready()).toMatchObject({ status: 200, ready: true, stages: { llm: 'ok' } });
    client.drop();
  });
});
