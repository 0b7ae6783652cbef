import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe } from 'vitest';
import { writeTinyTts } from '../../src/bench/tiny-models/tts-models.ts';
import { create } from '../../src/server/engines/kokoro-tts.ts';
import { notInstalled } from '../fixtures/installed.ts';
import { ttsSuite } from './tts-suite.ts';

const folder = await mkdtemp(join(tmpdir(), 'voice-chat-tiny-kokoro-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

// A tiny model in the real ONNX Runtime: its sound is tones, but which and how long depends on every token and the style.
const open = (durations: boolean) => async () => {
  const files = await writeTinyTts('kokoro', join(folder, `durations-${durations}`), { durations });
  return create({ files, language: 'en', device: 'cpu', threads: 1 });
};
const missing = notInstalled('onnxruntime-node');
describe.skipIf(missing)(`onnxruntime-node${missing ?? ''}`, () => {
  ttsSuite('kokoro', open(false));
  ttsSuite('kokoro (with durations)', open(true));
});
