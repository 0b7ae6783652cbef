import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { writeTinyMoonshine, writeTinyMoonshineV2 } from '../../src/bench/tiny-models/asr-moonshine.ts';
import { writeTinyParakeet } from '../../src/bench/tiny-models/asr-parakeet.ts';
import { writeTinySenseVoice } from '../../src/bench/tiny-models/asr-sense-voice.ts';
import { writeTinyWhisperOnnx } from '../../src/bench/tiny-models/asr-whisper-onnx.ts';
import { writeTinyZipformer } from '../../src/bench/tiny-models/asr-zipformer.ts';
import { create, type SherpaAsrSettings } from '../../src/server/engines/sherpa-asr.ts';
import { sounds } from '../fixtures/sounds.ts';
import { asrSuite, recognise } from './asr-suite.ts';

const folder = mkdtempSync(join(tmpdir(), 'voice-chat-tiny-'));
afterAll(() => rmSync(folder, { recursive: true }));

type Family = SherpaAsrSettings['family'];
type Case = readonly [
  name: string,
  family: Family,
  write: (folder: string) => Promise<Record<string, string>>,
  loudThenQuiet: string,
];

/** What each tiny model writes for a second and a half of sound with silence around it. */
const CASES: readonly Case[] = [
  ['zipformer', 'zipformer', writeTinyZipformer, 'Loud quiet'],
  ['parakeet', 'parakeet', writeTinyParakeet, 'Loud quiet'],
  ['moonshine', 'moonshine', writeTinyMoonshine, 'hello there'],
  ['moonshine-v2', 'moonshine', writeTinyMoonshineV2, 'hello there'],
  ['whisper-onnx', 'whisper-onnx', writeTinyWhisperOnnx, 'hello there'],
  ['sense-voice', 'sense-voice', writeTinySenseVoice, 'quiet loud quiet'],
];

const installed = await import('sherpa-onnx-node' as string).then(
  () => true,
  () => false,
);

describe.skipIf(!installed)('sherpa-onnx with tiny models (npm install sherpa-onnx-node)', () => {
  const open = async (name: string, more: Partial<SherpaAsrSettings> = {}) => {
    const [, family, write] = CASES.find((one) => one[0] === name)!;
    const files = await write(join(folder, name));
    return create({ family, files, language: 'en', threads: 1, name: `tiny-${name}`, ...more });
  };
  const read = async (name: string, samples: Float32Array, more: Partial<SherpaAsrSettings> = {}) => {
    await using asr = await open(name, more);
    return (await recognise(asr, samples)).at(-1)!;
  };

  for (const [name] of CASES) asrSuite(`sherpa ${name}`, () => open(name), { hears: false });

  it.each(CASES)('%s writes the words of its model, to the last one', async (name, _family, _write, text) => {
    const speech = sounds([0, 0.4], [0.5, 1.5], [0, 0.6]);
    expect(await read(name, speech)).toEqual({ text, final: true, understood: true });
    // The sound goes on to the last sample: what ends the last word is only the end itself.
    const cut = sounds([0, 0.4], [0.5, 1.5]);
    expect((await read(name, cut)).text).toBe(text.replace(/ quiet$/, name === 'zipformer' ? ' quiet' : ''));
  });

  it.each(CASES)('%s takes the shortest sounds', async (name) => {
    await using asr = await open(name);
    for (const samples of [1, 100, 401, 1_700]) {
      const [last] = (await recognise(asr, sounds([0.5, samples / 16_000]))).slice(-1);
      expect(last).toMatchObject({ final: true, understood: true });
    }
  });

  it('opens a model again after it was closed, and says where it runs', async () => {
    const first = await open('parakeet', { threads: 2 });
    await first[Symbol.asyncDispose]();
    await expect(recognise(first, sounds([0.5, 1]))).rejects.toThrow(/closed/);
    const second = await open('parakeet');
    expect([first.runsOn, second.runsOn]).toEqual(['CPU, 2 threads', 'CPU, 1 thread']);
    expect((await recognise(second, sounds([0, 0.4], [0.5, 1], [0, 0.4]))).at(-1)!.text).toBe('Loud quiet');
  });

  it.each([
    ['moonshine', 24],
    ['moonshine-v2', 9],
    ['whisper-onnx', 28],
  ] as const)('%s writes what is longer than it takes at once, cut where it is quiet', async (name, most) => {
    const half = most / 2 + 2;
    const { text } = await read(name, sounds([0.5, half], [0, 0.5], [0.5, half], [0, 0.3]));
    const texts = text.split(/ (?=hello)/);
    expect(texts).toHaveLength(2);
    for (const one of texts) expect(Math.abs(one.split(' ').length - half)).toBeLessThan(1.6);
  });

  it('tells Whisper and SenseVoice the language', async () => {
    const speech = sounds([0, 0.4], [0.5, 1.5], [0, 0.6]);
    expect((await read('whisper-onnx', speech, { language: 'de' })).text).toBe('hallo there');
    expect((await read('sense-voice', speech, { language: 'zh' })).text).toMatch(/大/);
    expect((await read('sense-voice', speech, { language: 'de' })).text).toBe('quiet loud quiet');
  });

  describe('hot words', () => {
    const speech = sounds([0, 0.4], [0.5, 1], [0, 0.6]);

    it('are preferred by a streaming model, in whatever letters they are given', async () => {
      expect((await read('zipformer', speech)).text).toBe('Loud quiet');
      expect((await read('zipformer', speech, { hotWords: ['Phoebe', 'zebra'] })).text).toBe('Phoebe quiet');
    });

    it.each([
      ['zipformer', 'Zürich', /cannot write "Ü"/],
      ['zipformer', 'a/b', /has a sign/],
      ['parakeet', 'Phoebe', /cannot prefer hot words/],
    ])('of %s are refused when they cannot be: %s', async (name, word, why) => {
      await expect(open(name, { hotWords: [word] })).rejects.toThrow(why);
    });

    it('need the pieces of the model', async () => {
      const { bpe: _, ...files } = await writeTinyZipformer(join(folder, 'without-bpe'));
      const opening = create({ family: 'zipformer', files, language: 'en', threads: 1, hotWords: ['Phoebe'] });
      await expect(opening).rejects.toThrow(/without the pieces of words.*leave asr.hotWords empty/);
    });
  });
});
