import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseConfig } from '../../../src/server/config.ts';
import { createLogger } from '../../../src/server/log.ts';
import type { Probe } from '../../../src/server/machine/machine.ts';
import { supplyModels } from '../../../src/server/model-supply.ts';
import type { AsrModel, LlmModel, ModelEntry, TtsModel } from '../../../src/server/models/model-entry.ts';
import { anEntry, modelBytes, StoreBench } from '../../fixtures/model-store.ts';

const GB = 1e9;
const machine: Probe = {
  platform: 'linux',
  arch: 'x64',
  node: '22.0.0',
  root: false,
  cpu: { model: 'Some CPU', cores: 8, threads: 16, avx: true, avx2: true, avx512: false },
  memory: { totalBytes: 32 * GB, availableBytes: 28 * GB },
  gpus: [],
  cuda: { runtimes: [] },
  vulkan: { loader: false, drivers: [] },
  disk: { folder: '/models', freeBytes: 200 * GB },
};
const packages = { sherpa: true, llama: true, whisper: true, ort: true, ortCuda: false };

const asr: AsrModel = anEntry([{ role: 'model', path: 'model.onnx' }], { id: 'ears', repo: 'some/ears' });
const llm: LlmModel = {
  ...anEntry([{ role: 'model', path: 'model.gguf' }], { id: 'brain', repo: 'some/brain' }),
  stage: 'llm',
  engine: 'llama',
  family: 'gguf',
  parameters: 0.6,
  kvBytesPerToken: 1_000,
  layers: 2,
};
const tts: TtsModel = {
  ...anEntry([{ role: 'model', path: 'model.onnx' }], { id: 'mouth', repo: 'some/mouth' }),
  stage: 'tts',
  engine: 'sherpa',
  family: 'kitten',
};
const models: readonly ModelEntry[] = [asr, llm, tts];
const BYTES = 40_000;

describe('the models at the start', () => {
  let bench: StoreBench;
  let said: string[];
  beforeEach(async () => {
    bench = await StoreBench.open();
    said = [];
    for (const { repo, files } of models) {
      const bytes = modelBytes(BYTES);
      if (files[0]!.path.endsWith('.gguf')) bytes.write('GGUF', 0, 'latin1');
      bench.hub.put(repo, files[0]!.path, bytes);
    }
  });
  afterEach(() => bench[Symbol.asyncDispose]());

  const supply = (over: object = {}, settings: object = {}, all = models) => {
    const config = parseConfig(
      JSON.stringify({ ...over, models: { folder: bench.folder, hub: bench.hub.url, ...settings } }),
    );
    const log = createLogger('info', (line) => said.push(line));
    return supplyModels(config, log, new AbortController().signal, {
      models: all,
      machine,
      packages,
      screen: { write: () => true },
    });
  };
  const heard = () => said.join('\n');

  it('are picked, announced with their size, and fetched', async () => {
    const { asr, llm, tts, without } = await supply();
    expect([asr, llm, tts].map((one) => one?.id)).toEqual(['ears', 'brain', 'mouth']);
    for (const one of [asr, llm, tts]) expect(one!.files.model).toContain(bench.folder);
    expect(without).toEqual({});
    expect(heard()).toMatch(/0\.1 MB to download into \S+: ears, brain, mouth/);
    expect(heard()).toMatch(/an answer should begin \d+ to \d+ ms after you stop/);
  });

  it('are not fetched again, nor asked for, once they are here', async () => {
    await supply();
    const { length } = bench.hub.served;
    await bench.hub[Symbol.asyncDispose]();
    const again = await supply();
    expect(again.llm?.id).toBe('brain');
    expect(bench.hub.served).toHaveLength(length);
    expect(heard().match(/to download/g)).toHaveLength(1);
    expect(heard()).toMatch(/the hub is not asked: .*cannot be reached/);
  });

  it('are done without where the hub is out of reach and nothing is here, which is said', async () => {
    await bench.hub[Symbol.asyncDispose]();
    const { asr, llm, tts, without } = await supply();
    expect([asr, llm, tts]).toEqual([undefined, undefined, undefined]);
    expect(without.llm).toMatch(/built-in ELIZA.*not on disk, and cannot be downloaded now/);
  });

  it('that are offline by configuration ask nobody', async () => {
    const { llm } = await supply({}, { offline: true });
    expect(llm).toBeUndefined();
    expect(bench.hub.requests).toEqual([]);
  });

  it('that the hub has not, or otherwise than named, cost neither the others nor the next best', async () => {
    bench.hub.next('file', { kind: 'status', status: 404 }, 'model.gguf');
    const files = [{ role: 'model', path: 'model.onnx', sha256: '0'.repeat(64) }];
    const other: AsrModel = { ...asr, id: 'better-ears', files, quality: 2 };
    const { asr: ears, llm, tts, without } = await supply({}, {}, [other, ...models]);
    expect([ears?.id, llm?.id, tts?.id]).toEqual(['ears', undefined, 'mouth']);
    expect(heard()).toMatch(/WARN.*offers other bytes for some\/ears.*Going on without better-ears/);
    expect(heard()).toMatch(/WARN.*model\.gguf.*Going on without brain/);
    expect(heard()).not.toMatch(/out of reach|cannot be downloaded/);
    expect(without.llm).toMatch(/built-in ELIZA/);
  });

  it('are not tried one after another where the hub has none', async () => {
    const ears = [1, 2, 3, 4].map((n): AsrModel => ({ ...asr, id: `ears-${n}`, repo: `no/ears-${n}`, quality: n }));
    const { asr: none, llm: brain } = await supply({}, {}, [...ears, llm, tts]);
    expect([none, brain?.id]).toEqual([undefined, 'brain']);
    expect(heard().match(/Going on without ears-\d/g)).toHaveLength(2);
  });

  it('that break off leave the server to what has come, with what was wrong', async () => {
    writeFileSync(join(bench.folder, 'a-file'), '');
    const broken = await supply({}, { folder: join(bench.folder, 'a-file', 'hub') });
    expect([broken.asr, broken.llm, broken.tts]).toEqual([undefined, undefined, undefined]);
    expect(heard()).toMatch(/WARN.*cannot be written.*Going on with what is here/);
    expect(broken.without.llm).toMatch(/not on disk, and cannot be downloaded now/);
  });

  it('that the user named are fetched first, and without them there is no start', async () => {
    bench.hub.next('file', { kind: 'status', status: 404 }, 'model.gguf');
    const named = supply({ llm: { engine: 'llama', model: 'brain' } });
    await expect(named).rejects.toMatchObject({ stage: 'llm' });
    await expect(named).rejects.toThrow(/voice-chat models pull brain fetches it/);
    expect(bench.hub.served).toEqual([]);
  });

  it('of an engine that the user named are planned among those it takes', async () => {
    const { llm } = await supply({ asr: { engine: 'off' }, llm: { engine: 'llama' }, tts: { engine: 'flite' } });
    expect(llm).toMatchObject({ id: 'brain', plan: { engine: 'llama', device: 'cpu' } });
    expect(heard()).not.toMatch(/ears|mouth/);
    await expect(supply({ asr: { engine: 'whisper' } })).rejects.toThrow(
      /No model for asr\.engine whisper can be used here.*Name one in asr\.model, or set asr\.engine: auto/,
    );
  });

  it.each([
    ['llm', { engine: 'llama', model: 'brian' }, /llm\.model brian is not known; did you mean brain\?/],
    ['tts', { engine: 'kokoro', model: 'mouth' }, /tts\.model mouth is no model for the engine kokoro/],
    ['asr', { engine: 'sherpa', model: './nowhere' }, /voice-chat\.json does not exist; it says how to load the model/],
    ['asr', { engine: 'sherpa', model: 'german' }, /german knows de; language in config\.yml is en\. Change one/],
    ['asr', { engine: 'sherpa', model: 'ears', hotWords: ['Ada'] }, /ears does not take asr\.hotWords: leave it empty/],
    ['asr', { engine: 'sherpa', hotWords: ['Ada'] }, /No model .* engine sherpa takes asr\.hotWords: leave it empty/],
    ['asr', { engine: 'sherpa', model: import.meta.filename }, /is a file; of the engine sherpa, name the folder/],
    [
      'asr',
      { engine: 'whisper', model: import.meta.dirname },
      /is a folder; asr\.model of the engine whisper is a file/,
    ],
    ['llm', { engine: 'llama', model: import.meta.dirname }, /is a folder; llm\.model of the engine llama is a file/],
  ])('of %s %j end the start with a sentence', async (stage, settings, sentence) => {
    const call = supply({ [stage]: settings }, {}, [...models, { ...asr, id: 'german', languages: ['de'] }]);
    await expect(call).rejects.toMatchObject({ name: 'EngineError', stage });
    await expect(call).rejects.toThrow(sentence);
  });

  it('of their own describe themselves in their folder', async () => {
    const folder = join(bench.folder, 'own');
    mkdirSync(folder);
    const describe = (text: string) => writeFileSync(join(folder, 'voice-chat.json'), text);
    const own = () =>
      supply({ asr: { engine: 'sherpa', model: folder }, llm: { engine: 'builtin' }, tts: { engine: 'flite' } });
    describe('{ "family": "moonshine", "files": { "tokens": "t.txt" } }');
    await expect(own()).rejects.toThrow(/names .*t\.txt, which does not exist/);
    writeFileSync(join(folder, 't.txt'), 'a 0\n');
    expect((await own()).asr).toMatchObject({ family: 'moonshine', files: { tokens: join(folder, 't.txt') } });
    expect(bench.hub.requests).toEqual([]);
    describe('{ "family": "sunshine", "files": {} }');
    await expect(own()).rejects.toThrow(/family is wrong .*moonshine/);
    describe('{');
    await expect(own()).rejects.toThrow(/is no JSON/);
  });

  it('are no concern of stages that take none', async () => {
    const scripted = { engine: 'scripted' };
    expect(await supply({ asr: scripted, llm: scripted, tts: scripted })).toEqual({ without: {} });
    expect(bench.hub.requests).toEqual([]);
  });
});
