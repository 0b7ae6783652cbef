import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type * as ChatClientModule from '../../src/bench/chat-client.ts';
import { resample } from '../../src/bench/resample.ts';
import type * as ServerModule from '../../src/bench/server-process.ts';
import { joinedSamples, MIC_RATE } from '../../src/protocol/pcm.ts';
import { MODELS } from '../../src/server/models/manifest.ts';
import type { ModelEntry } from '../../src/server/models/model-entry.ts';
import { ModelStore } from '../../src/server/models/store.ts';
import { built } from '../fixtures/built.ts';
import { pocketsphinx } from '../fixtures/pocketsphinx.ts';
import { synthesise } from '../fixtures/speech.ts';

const { ChatClient } = await built<typeof ChatClientModule>('bench/chat-client.js');
const { startServerProcess } = await built<typeof ServerModule>('bench/server-process.js');
const { create, missing } = await pocketsphinx();
const folder = join(homedir(), '.cache', 'huggingface', 'hub');
const store = new ModelStore({ folder, hub: '', token: '', offline: true });
/** The first model of a stage that is here; where none is, the smallest one is to be pulled. */
async function modelOf(stage: ModelEntry['stage']): Promise<{ id: string; here: boolean }> {
  const english = MODELS.filter((model) => model.stage === stage && model.languages.includes('en'));
  for (const model of english) if (await store.find(model)) return { id: model.id, here: true };
  const smallest = english.reduce((a, b) => (b.totalBytes < a.totalBytes ? b : a));
  return { id: smallest.id, here: false };
}
const [ears, brain, mouth] = [await modelOf('asr'), await modelOf('llm'), await modelOf('tts')];
const absent = [ears, brain, mouth].filter(({ here }) => !here).map(({ id }) => id);
const notHere = absent.length > 0 ? ` (skipped: not in the cache; run voice-chat models pull ${absent.join(' ')})` : '';

describe.skipIf(missing)(`5: a conversation on the embedded engines${missing ?? ''}`, () => {
  let server: ServerModule.ServerProcess;
  let client: ChatClientModule.ChatClient;

  beforeAll(async () => {
    server = await startServerProcess({
      asr: { engine: 'pocketsphinx' },
      llm: { engine: 'builtin' },
      tts: { engine: 'flite' },
    });
    client = await ChatClient.open(server.url);
    client.send({ type: 'mic', mode: 'open' });
    client.startMic();
  });

  afterAll(() => server?.[Symbol.asyncDispose]());

  const say = async (text: string) => client.say((await synthesise(text, 'awb')).samples);

  it('a question is spoken, its answer comes back as speech that can be understood', async () => {
    const done = client.next('reply_done');
    await say('How much is seven times eight?');
    const { turn } = (await done).message;
    expect(client.messages.map(({ message }) => message)).toContainEqual({
      type: 'user_said',
      turn,
      text: 'how much is seven times eight',
      typed: false,
    });
    const speech = { rate: client.welcome.speechRate, samples: joinedSamples(client.replies.get(turn)!.chunks) };
    await using asr = await create({ expects: 'anything' });
    async function* heard() {
      yield resample(speech, MIC_RATE).samples;
    }
    let text = '';
    for await (const transcript of asr.recognize(heard(), new AbortController().signal)) text = transcript.text;
    expect(text).toContain('fifty six');
    const state = client.nextThat((message) => message.type === 'state' && message.state === 'listening');
    await state;
  });

  it('a long story is interrupted by speech, and what was not heard is not remembered', async () => {
    const speaking = client.nextThat((message) => message.type === 'state' && message.state === 'speaking');
    await say('Tell me a long story.');
    await speaking;
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    const cut = client.next('cut');
    const said = client.next('user_said');
    await say('What time is it?');
    const { heard, unheard, turn } = (await cut).message;
    expect(heard).toMatch(/\w+ \w+ \w+/);
    expect(unheard).not.toBe('');
    expect((await said).message.text).toBe('what time is it');
    const { message } = await client.next('reply_done');
    expect(message.turn).toBeGreaterThan(turn);
    expect(client.replies.get(turn)!.samples).toBeGreaterThan(client.replies.get(turn)!.played!);
  });
});

describe('5: a conversation on neural engines', () => {
  it.skipIf(notHere)(`hears a question, answers aloud, and is interrupted${notHere}`, async () => {
    const engineOf = (id: string) => MODELS.find((model) => model.id === id)!.engine;
    await using server = await startServerProcess({
      models: { offline: true },
      asr: { engine: engineOf(ears.id), model: ears.id },
      llm: { engine: 'llama', model: brain.id, maxTokens: 120 },
      tts: { engine: 'sherpa', model: mouth.id },
    });
    const client = await ChatClient.open(server.url);
    client.send({ type: 'mic', mode: 'open' });
    client.startMic();
    const say = async (text: string) => client.say((await synthesise(text, 'rms')).samples);
    const said = client.next('user_said');
    const speaking = client.nextThat((message) => message.type === 'state' && message.state === 'speaking');
    await say('Please tell me a long story about the sea.');
    expect((await said).message.text).toMatch(/story about the sea/i);
    await speaking;
    const cut = client.next('cut');
    await say('Stop now, please. What time is it?');
    const { turn } = (await cut).message;
    const { message } = await client.next('reply_done');
    expect(message.turn).toBeGreaterThan(turn);
    expect(message.samples).toBeGreaterThan(client.welcome.speechRate / 2);
    client.close();
  });
});
