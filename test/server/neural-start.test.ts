import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeHub } from '../../src/bench/fake-hub.ts';
import { writeTinyZipformer } from '../../src/bench/tiny-models/asr-zipformer.ts';
import { writeTinyLlama } from '../../src/bench/tiny-models/tiny-llama.ts';
import { writeTinyTts } from '../../src/bench/tiny-models/tts-models.ts';
import { encodeFrame } from '../../src/protocol/frames.ts';
import { MIC_FRAME } from '../../src/protocol/pcm.ts';
import type * as ConfigModule from '../../src/server/config.ts';
import type * as LogModule from '../../src/server/log.ts';
import type * as MainModule from '../../src/server/main.ts';
import type { AsrModel, LlmModel, ModelFile, TtsModel } from '../../src/server/models/model-entry.ts';
import { built } from '../fixtures/built.ts';
import { espeakData } from '../fixtures/espeak-data.ts';
import { notInstalled } from '../fixtures/installed.ts';
import { anEntry } from '../fixtures/model-store.ts';
import { recorded } from '../fixtures/probes.ts';
import { WireClient } from '../fixtures/wire-client.ts';

const { startServer } = await built<typeof MainModule>('server/main.js');
const { parseConfig } = await built<typeof ConfigModule>('server/config.js');
const { createLogger } = await built<typeof LogModule>('server/log.js');

const espeak = await espeakData();
const ESPEAK = ['phontab', 'phonindex', 'phondata', 'intonations', 'en_dict', 'lang/gmw/en', 'lang/gmw/en-US'];

const missing = notInstalled('sherpa-onnx-node', 'node-llama-cpp', '@huggingface/jinja') ?? espeak.missing;

describe.skipIf(missing)(`a start with engine: auto and the hub in reach${missing ?? ''}`, () => {
  let folder: string;
  let hub: FakeHub;
  let models: readonly [AsrModel, LlmModel, TtsModel];

  /** Puts files into a repository of the hub; returns them as the manifest would name them. */
  async function publish(repo: string, files: Readonly<Record<string, string>>): Promise<ModelFile[]> {
    const named: ModelFile[] = [];
    for (const [role, path] of Object.entries(files)) {
      const name = path.slice(path.lastIndexOf('/') + 1);
      hub.put(repo, name, await readFile(path));
      named.push({ role, path: name });
    }
    return named;
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'voice-chat-auto-'));
    hub = await FakeHub.start();
    const asr = await publish('tiny/ears', await writeTinyZipformer(join(folder, 'asr')));
    const gguf = join(folder, 'tiny.gguf');
    writeTinyLlama(gguf);
    const llm = await publish('tiny/brain', { model: gguf });
    const tts = await publish('tiny/mouth', await writeTinyTts('vits', join(folder, 'tts')));
    for (const name of ESPEAK.filter((name) => existsSync(join(espeak.folder, name)))) {
      hub.put('tiny/mouth', `espeak-ng-data/${name}`, await readFile(join(espeak.folder, name)));
      tts.push({ role: 'espeak', path: `espeak-ng-data/${name}` });
    }
    models = [
      anEntry(asr, { id: 'ears', title: 'Tiny ears', family: 'zipformer', repo: 'tiny/ears' }),
      {
        ...anEntry(llm, { id: 'brain', title: 'Tiny brain', repo: 'tiny/brain' }),
        ...{ stage: 'llm', engine: 'llama', family: 'gguf', parameters: 0.6, kvBytesPerToken: 1_000, layers: 2 },
      },
      {
        ...anEntry(tts, { id: 'mouth', title: 'Tiny mouth', repo: 'tiny/mouth' }),
        stage: 'tts',
        engine: 'sherpa',
        family: 'vits',
      },
    ];
  });
  afterAll(async () => {
    await hub?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  async function start(cache: string) {
    const log: string[] = [];
    const config = parseConfig(
      JSON.stringify({
        server: { port: 0 },
        models: { folder: join(folder, cache), hub: hub.url },
        vad: { engine: 'scripted' },
        llm: { engine: 'auto', tools: [] },
      }),
    );
    const logger = createLogger('info', (line) => log.push(line));
    const { probe: machine } = recorded('no-card');
    const server = await startServer(config, logger, { models, machine }, new AbortController().signal);
    return { server, log: () => log.join('\n'), [Symbol.asyncDispose]: () => server.stop(0) };
  }

  it('fetches, checks and loads models, and then hears, thinks and speaks with them', async () => {
    await using started = await start('hub');
    expect(started.log()).toMatch(/MB to download into \S+: ears, brain, mouth/);
    const client = await WireClient.open(started.server.url);
    expect(client.welcome.engines).toMatchObject({
      asr: 'sherpa-onnx (Tiny ears) on CPU, 1 thread',
      llm: expect.stringMatching(/^llama\.cpp \(Tiny brain\) on CPU/),
      tts: expect.stringMatching(/^sherpa-onnx \(Tiny mouth\) on CPU/),
    });
    makeNoise(client);
    expect((await client.first('user_said')).text).toMatch(/^Loud quiet/);
    const { turn } = await client.first('reply_text');
    await client.hearAll(turn);
    expect(client.samples(turn)).toBeGreaterThan(client.welcome.speechRate / 2);
    // The second turn goes on with the first.
    await client.chat('And what do you think of that?');
  });

  it('needs no hub the next time, and takes what is embedded in place of a model that is broken', async () => {
    const served = hub.served.length;
    {
      await using again = await start('hub');
      expect(again.log()).not.toMatch(/to download/);
    }
    expect(hub.served.length).toBe(served);
    const gguf = (await allBelow(join(folder, 'hub'))).find((path) => path.endsWith('.gguf'))!;
    const blob = await realpath(gguf);
    await writeFile(blob, (await readFile(blob)).subarray(0, 3_000));
    await using broken = await start('hub');
    expect(broken.log()).toMatch(/WARN {2}llm {2}llama\.cpp \(Tiny brain\) cannot be used: .*brain|tiny\.gguf/);
    expect(broken.log()).toMatch(/llm {2}builtin .*the model brain could not be loaded/);
    const client = await WireClient.open(broken.server.url);
    await client.chat('how much is seven times eight');
    const said = client.of('reply_text').map(({ text }) => text);
    expect(said.join('')).toMatch(/fifty-six/i);
  });
});

/** A second of noise and the silence that ends an utterance, as microphone frames. */
function makeNoise(client: WireClient): void {
  let state = 1;
  for (let sequence = 0; sequence < 60; sequence++) {
    const samples = new Float32Array(MIC_FRAME);
    for (let i = 0; sequence < 32 && i < MIC_FRAME; i++) {
      state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
      samples[i] = (state / 2 ** 31) * 0.4;
    }
    const frame = { kind: 'mic', sequence, turn: 0, position: sequence * MIC_FRAME, samples } as const;
    client.socket.send(encodeFrame(frame));
  }
}

async function allBelow(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true, encoding: 'utf8' });
  return names.map((name) => join(folder, name)).filter((path) => relative(folder, path).includes('snapshots'));
}
