import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { resample } from '../../src/bench/resample.ts';
import { joinedSamples } from '../../src/protocol/pcm.ts';
import type { SpeechSynthesizer } from '../../src/server/engines/contracts.ts';
import { create } from '../../src/server/engines/flite-tts.ts';
import { create as createKokoro } from '../../src/server/engines/kokoro-tts.ts';
import { create as createSherpa } from '../../src/server/engines/sherpa-tts.ts';
import { TTS_MODELS } from '../../src/server/models/manifest-tts.ts';
import type { Language } from '../../src/server/models/model-entry.ts';
import { ModelStore } from '../../src/server/models/store.ts';
import { pocketsphinx } from '../fixtures/pocketsphinx.ts';

describe('4: speech synthesis, flite', () => {
  it('speaks with every voice, at a fitting length and level', async () => {
    await using tts = await create();
    for (const voice of tts.voices) {
      let length = 0;
      let power = 0;
      const words: string[] = [];
      for await (const pcm of tts.speak(
        'Seven times eight is fifty-six.',
        { name: voice, speed: 1 },
        new AbortController().signal,
      )) {
        length += pcm.samples.length;
        for (const sample of pcm.samples) power += sample * sample;
        words.push(...(pcm.words ?? []).map(({ text }) => text));
      }
      const seconds = length / tts.rate;
      expect(seconds, voice).toBeGreaterThan(1.2);
      expect(seconds, voice).toBeLessThan(4);
      expect(Math.sqrt(power / length), voice).toBeGreaterThan(0.02);
      expect(words, voice).toEqual(['Seven', 'times', 'eight', 'is', 'fifty-six.']);
    }
  });
});

const folder = join(homedir(), '.cache', 'huggingface', 'hub');
const store = new ModelStore({ folder, hub: 'https://huggingface.co', token: '', offline: true });
const found = new Map(await Promise.all(TTS_MODELS.map(async (entry) => [entry.id, await store.find(entry)] as const)));
const asr = await pocketsphinx();

const SENTENCES: Readonly<Record<Language, string>> = {
  en: 'How much is seven times eight?',
  zh: '今天天气很好，我们去公园吧。',
  de: 'Guten Morgen, wie geht es Ihnen heute?',
  fr: "Bonjour, comment allez-vous aujourd'hui ?",
  es: 'Buenos días, ¿cómo está usted hoy?',
  ja: 'おはようございます、おげんきですか。',
};

async function spoken(tts: SpeechSynthesizer, phrase: string): Promise<Float32Array> {
  const chunks: Float32Array[] = [];
  const speech = tts.speak(phrase, { name: '', speed: 1 }, new AbortController().signal);
  for await (const { samples } of speech) chunks.push(samples);
  return joinedSamples(chunks);
}

/** What PocketSphinx, which expects such sentences, understands. */
async function understood(samples: Float32Array, rate: number): Promise<string> {
  await using ear = await asr.create();
  const heard = resample({ samples, rate }, 16_000).samples;
  async function* pieces() {
    for (let at = 0; at < heard.length; at += 512) yield heard.slice(at, at + 512);
  }
  let last = '';
  for await (const { text } of ear.recognize(pieces(), new AbortController().signal)) last = text;
  return last;
}

for (const entry of TTS_MODELS) {
  const model = found.get(entry.id);
  const missing = model ? '' : ` (skipped: it is not in the cache; run voice-chat models pull ${entry.id})`;
  const engines = {
    sherpa: (language: Language) => createSherpa({ family: entry.family, files: model!.files, language, threads: 2 }),
    ...(entry.family === 'kokoro' && entry.languages.includes('en')
      ? {
          kokoro: (language: Language) => createKokoro({ files: model!.files, language, device: 'auto', threads: 2 }),
        }
      : {}),
  };
  for (const [engine, open] of Object.entries(engines)) {
    describe.skipIf(!model)(`4: speech synthesis, ${engine} with ${entry.title}${missing}`, () => {
      it.each(engine === 'kokoro' ? (['en'] as const) : entry.languages)('speaks: %s', async (language) => {
        await using tts = await open(language);
        const samples = await spoken(tts, SENTENCES[language]);
        const seconds = samples.length / tts.rate;
        expect(seconds).toBeGreaterThan(1);
        expect(seconds).toBeLessThan(8);
        expect(Math.sqrt(samples.reduce((sum, sample) => sum + sample ** 2, 0) / samples.length)).toBeGreaterThan(0.01);
      });

      it.skipIf(asr.missing || !entry.languages.includes('en'))(
        `is understood by another program${entry.languages.includes('en') ? (asr.missing ?? '') : ' (skipped: PocketSphinx knows English)'}`,
        async () => {
          await using tts = await open('en');
          const heard = (await understood(await spoken(tts, SENTENCES.en), tts.rate)).split(' ');
          const words = ['how', 'much', 'is', 'seven', 'times', 'eight'];
          expect(words.filter((word) => heard.includes(word)).length, heard.join(' ')).toBeGreaterThanOrEqual(5);
        },
      );
    });
  }
}
