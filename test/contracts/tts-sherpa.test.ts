import { afterAll, describe } from 'vitest';
import { create } from '../../src/server/engines/sherpa-tts.ts';
import { tinyVoices } from '../fixtures/tiny-tts.ts';
import { ttsSuite } from './tts-suite.ts';

const tiny = await tinyVoices();
afterAll(() => tiny.remove());

// Tiny models of each family, in the real library: their sound is tones, but which and how long depends on every token.
describe.skipIf(tiny.missing)(`sherpa-onnx${tiny.missing ?? ''}`, () => {
  for (const family of ['kokoro', 'vits', 'matcha', 'kitten'] as const) {
    ttsSuite(`sherpa (${family})`, async () => create(await tiny.settings(family)));
  }
  ttsSuite('sherpa (vits, three speakers)', async () => create(await tiny.settings('vits', { speakers: 3 })));
});
