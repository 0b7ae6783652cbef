import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { writeTinyWhisperGgml } from '../../src/bench/tiny-models/asr-whisper-ggml.ts';
import { loadWhisper } from '../../src/server/engines/whisper/addon.ts';
import { create, type WhisperAsrSettings } from '../../src/server/engines/whisper-asr.ts';
import { sounds } from '../fixtures/sounds.ts';
import { asrSuite, recognise } from './asr-suite.ts';

const folder = mkdtempSync(join(tmpdir(), 'voice-chat-tiny-'));
afterAll(() => rmSync(folder, { recursive: true }));

const file = await writeTinyWhisperGgml(join(folder, 'ggml-tiny.bin'));
const open = (more: Partial<WhisperAsrSettings> = {}) =>
  create({ file, language: 'en', device: 'cpu', threads: 1, name: 'tiny', ...more });

const canLoad = (variant: 'default' | 'cuda') => {
  try {
    return loadWhisper(variant) !== undefined;
  } catch {
    return false;
  }
};

describe.skipIf(!canLoad('default'))('whisper.cpp with a tiny model (npm install @fugood/whisper.node)', () => {
  asrSuite('whisper', () => open(), { hears: false });

  it('writes the words of the model, and says where it runs', async () => {
    await using asr = await open({ threads: 2 });
    expect((await recognise(asr, sounds([0.5, 1.5]))).at(-1)).toEqual({
      text: 'Hello there.',
      final: true,
      understood: true,
    });
    expect(asr.runsOn).toBe('CPU, 2 threads');
  });

  it('takes hot words and another language', async () => {
    await using asr = await open({ hotWords: ['Phoebe', 'Zürich'], language: 'de' });
    expect((await recognise(asr, sounds([0.5, 1]))).at(-1)!.text).toBe('Hello there.');
  });

  it('writes an utterance of more than its 30 s in pieces', async () => {
    await using asr = await open();
    const { text } = (await recognise(asr, sounds([0.5, 20], [0, 0.5], [0.5, 20]))).at(-1)!;
    expect(text).toBe('Hello there. Hello there.');
  });

  it.skipIf(canLoad('cuda'))(
    'says why there is no card: it falls back when it may, and throws when it may not',
    async () => {
      await using asr = await open({ device: 'auto' });
      expect(asr.runsOn).toMatch(/^CPU, 1 thread \(no CUDA: .*no Vulkan: /);
      await expect(open({ device: 'cuda' })).rejects.toThrow(/cannot use CUDA.*Install the NVIDIA driver/s);
    },
  );

  it('names a file that is not there, no model, or damaged, and the fix', async () => {
    await expect(open({ file: join(folder, 'none.bin') })).rejects.toThrow(/cannot be read.*models pull tiny/);
    const whole = await readFile(file);
    const vocabulary = 100_000;
    const broken = [Buffer.from('<html>'), whole.subarray(0, 40), whole.subarray(0, vocabulary), whole.subarray(0, -1)];
    for (const content of broken) {
      const path = join(folder, 'broken.bin');
      await writeFile(path, content);
      await expect(open({ file: path })).rejects.toThrow(/broken.bin is no Whisper model.*models verify tiny/);
    }
  });
});
