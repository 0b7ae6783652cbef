import { expect, it } from 'vitest';
import { startTestServer } from '../fixtures/test-server.ts';
import { WireClient } from '../fixtures/wire-client.ts';

const one = { llm: { engine: 'scripted', replies: ['Three short words.'] } };

/** How many samples of speech the reply to `text` has. */
async function lengthOf(client: WireClient, text: string): Promise<number> {
  const turn = await client.chat(text);
  return client.of('reply_done').find((message) => message.turn === turn)!.samples;
}

it('tells a page which voices there are and which one speaks', async () => {
  await using server = await startTestServer({ tts: { engine: 'scripted', voice: 'tone-600', speed: 1.5 } });
  const { welcome } = await WireClient.open(server.url);
  expect(welcome).toMatchObject({ voices: ['tone', 'tone-600'], voice: { name: 'tone-600', speed: 1.5 } });
});

it('speaks with the first voice, and says so, where the engine that was picked has not the one of the configuration', async () => {
  const tts = { engine: 'auto', voice: 'af_heart' };
  await using server = await startTestServer({ ...one, tts, models: { offline: true, folder: './no-models' } });
  const client = await WireClient.open(server.url);
  expect(client.welcome.voice.name).toBe(client.welcome.voices[0]);
  expect(await lengthOf(client, 'hello')).toBeGreaterThan(0);
  expect(server.log.join('\n')).toMatch(/no voice "af_heart"; rms speaks\. Set tts\.voice to one of rms, awb/);
});

it('speaks as the page chose, from the next reply on, and still so after the page came back', async () => {
  await using server = await startTestServer(one);
  const client = await WireClient.open(server.url);
  const usual = await lengthOf(client, 'as usual');
  const voice = { name: 'tone-600', speed: 2 };
  client.say({ type: 'voice', voice });
  expect((await lengthOf(client, 'faster')) / usual).toBeCloseTo(0.5, 1);
  client.drop();
  const again = await WireClient.open(server.url, client.welcome.token);
  expect(again.welcome).toMatchObject({ resumed: true, voice });
  expect((await lengthOf(again, 'still fast')) / usual).toBeCloseTo(0.5, 1);
});

it.each([
  [{ name: 'nobody', speed: 1 }, /no such voice; choose one of tone, tone-600/],
  [{ name: 'tone', speed: 9 }, /voice\.speed/],
])('refuses %j in a sentence, and goes on with the voice before', async (voice, sentence) => {
  await using server = await startTestServer(one);
  const client = await WireClient.open(server.url);
  const usual = await lengthOf(client, 'before');
  client.say({ type: 'voice', voice });
  expect((await client.first('error')).message).toMatch(sentence);
  expect(await lengthOf(client, 'after')).toBe(usual);
});
