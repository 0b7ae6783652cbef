import { expect, it } from 'vitest';
import { startTestServer } from '../fixtures/test-server.ts';
import { WireClient } from '../fixtures/wire-client.ts';

it('a model calls tools within its reply, and a timer is announced when it is over', async () => {
  // The first is the engine's trial: it runs in a process of its own, as a model does.
  const replies = ['Trial.', 'Let me see. {tool:timer {"seconds":1,"label":"tea"}}', 'Done. {result}'];
  await using server = await startTestServer({ llm: { engine: 'scripted', replies, ownProcess: true } });
  const client = await WireClient.open(server.url);
  client.type('a timer for my tea, one second');
  const { turn } = await client.first('user_said');
  await client.hearAll(turn);
  const said = (of: number) =>
    client
      .of('reply_text')
      .filter((message) => message.turn === of)
      .map(({ text }) => text.trim())
      .join(' ');
  expect(said(turn)).toBe(
    'Let me see. Done. The timer for tea is set: 1 second from now it is announced aloud by itself.',
  );

  await client.first('reply_text', (message) => message.turn === turn + 1);
  await client.hearAll(turn + 1);
  expect(said(turn + 1)).toBe('Your timer for tea, 1 second, is over.');
  expect(client.samples(turn + 1)).toBeGreaterThan(0);
  expect(client.of('user_said')).toHaveLength(1);
  // What was said, called and answered stays out of the log.
  expect(server.log.join('\n')).not.toMatch(/tea/);
});

it('no tools are offered when none are configured', async () => {
  const replies = ['Let me see. {tool:timer {"seconds":1}}', 'Never.'];
  await using server = await startTestServer({ llm: { engine: 'scripted', replies, tools: [] } });
  const client = await WireClient.open(server.url);
  client.type('a timer, one second');
  const { turn } = await client.first('user_said');
  await client.hearAll(turn);
  expect(client.of('reply_text').map(({ text }) => text)).toEqual(['Let me see. ']);
});

it('a client that waits for a timer is not closed for its silence', async () => {
  const replies = ['{tool:timer {"seconds":3}}', 'Set.'];
  const limits = { idleMinutes: 0.02 };
  await using server = await startTestServer({ llm: { engine: 'scripted', replies }, limits });
  const client = await WireClient.open(server.url);
  client.type('a timer, three seconds');
  const { turn } = await client.first('user_said');
  await client.hearAll(turn);
  await client.first('reply_text', (message) => message.turn === turn + 1);
  await client.hearAll(turn + 1);
  expect((await client.closed).code).toBe(4000);
});
