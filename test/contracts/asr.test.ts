import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAudioFile } from '../../src/bench/audio-files.ts';
import type { SpeechRecognizer } from '../../src/server/engines/contracts.ts';
import { create, type PocketSphinxSettings } from '../../src/server/engines/pocketsphinx-asr.ts';
import { createAsr } from '../../src/server/engines/scripted.ts';
import { asrSuite, recognise, spoken } from './asr-suite.ts';

asrSuite('scripted', async () => createAsr({ texts: ['what time is it'] }), { hears: false });

const why = await create().then(
  (asr) => asr[Symbol.asyncDispose]().then(() => undefined),
  (error: Error) => error.message,
);
if (why) describe.skip(`pocketsphinx: ${why}`, () => it('is not here', () => {}));
else pocketsphinx();

function pocketsphinx() {
  asrSuite('pocketsphinx', () => create());

  describe('pocketsphinx that expects', () => {
    const last = async (settings: PocketSphinxSettings, speech: Float32Array) => {
      const asr = await create(settings);
      const transcript = (await recognise(asr, speech)).at(-1)!;
      await asr[Symbol.asyncDispose]();
      return transcript;
    };

    it.each(['rms', 'slt'])('the built-in brain understands what is for it, said by %s', async (voice) => {
      const speech = await spoken('tell me a long story', voice);
      expect(await last({}, speech)).toEqual({ text: 'tell me a long story', final: true, understood: true });
    });

    it('anything takes every sentence for understood', async () => {
      const { text, understood } = await last(
        { expects: 'anything' },
        await spoken('the president signed the agreement'),
      );
      expect(understood).toBe(true);
      expect(text).toContain('president');
    });
  });

  const list = new URL('../../../shared/data/speech/utterances.jsonl', import.meta.url);
  describe.skipIf(!existsSync(list))('real speech about something else (needs ../shared/data)', () => {
    let asr: SpeechRecognizer;
    beforeAll(async () => {
      asr = await create();
    });
    afterAll(() => asr[Symbol.asyncDispose]());

    it('is not understood, mostly', async () => {
      const utterances = readFileSync(list, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      const foreign = utterances.filter(({ file }: { file: string }) => file.includes('ljspeech'));
      let refused = 0;
      for (const { file } of foreign) {
        const speech = readAudioFile(new URL(`../../../shared/data/${file}`, import.meta.url).pathname);
        if (!(await recognise(asr, speech)).at(-1)!.understood) refused++;
      }
      expect(refused / foreign.length).toBeGreaterThan(0.7);
    });
  });
}
