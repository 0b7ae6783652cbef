import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readAudioFile } from '../../src/bench/audio-files.ts';
import { plainWords, wordErrors } from '../../src/bench/word-errors.ts';
import type { SpeechRecognizer } from '../../src/server/engines/contracts.ts';
import type { SherpaAsrFamily } from '../../src/server/engines/sherpa/asr-files.ts';
import { create as createSherpa } from '../../src/server/engines/sherpa-asr.ts';
import { create as createWhisper } from '../../src/server/engines/whisper-asr.ts';
import { ASR_MODELS } from '../../src/server/models/manifest-asr.ts';
import type { AsrModel } from '../../src/server/models/model-entry.ts';
import { ModelStore } from '../../src/server/models/store.ts';
import { synthesise } from '../fixtures/speech.ts';

const DATA = fileURLToPath(new URL('../../../shared/data/', import.meta.url));
const folder = join(homedir(), '.cache', 'huggingface', 'hub');
const store = new ModelStore({ folder, hub: 'https://huggingface.co', token: '', offline: true });
const found = new Map(await Promise.all(ASR_MODELS.map(async (entry) => [entry.id, await store.find(entry)] as const)));

function open(
  { id, family }: AsrModel,
  files: Readonly<Record<string, string>>,
  language: 'en',
): Promise<SpeechRecognizer> {
  const common = { language, threads: 2, name: id };
  if (family === 'whisper-ggml') return createWhisper({ ...common, file: files.model!, device: 'auto' });
  return createSherpa({ ...common, family: family as SherpaAsrFamily, files });
}

type Said = { readonly samples: Float32Array; readonly text: string };

/** Some real utterances, or a synthetic one where those are not here. */
async function utterances(): Promise<Said[]> {
  const list = join(DATA, 'speech', 'utterances.jsonl');
  if (!existsSync(list)) {
    const { samples } = await synthesise('How much is seven times eight?', 'rms');
    return [{ samples, text: 'how much is seven times eight' }];
  }
  return readFileSync(list, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { file: string; lang: string; text: string; exact: boolean; seconds: number })
    .filter(({ lang, exact, seconds, file }) => lang === 'en' && exact && seconds < 8 && file.includes('librispeech'))
    .slice(0, 8)
    .map(({ file, text }) => ({ samples: readAudioFile(join(DATA, file)), text }));
}

for (const entry of ASR_MODELS.filter(({ languages }) => languages.includes('en'))) {
  const model = found.get(entry.id);
  const missing = model ? '' : ` (skipped: it is not in the cache; run voice-chat models pull ${entry.id})`;
  describe(`2: speech recognition, ${entry.id}`, () => {
    it.skipIf(missing)(`writes down what people say, with partial texts before${missing}`, async () => {
      await using asr = await open(entry, model!.files, 'en');
      let words = 0;
      let errors = 0;
      let partials = 0;
      for (const { samples, text } of await utterances()) {
        async function* chunks() {
          for (let at = 0; at < samples.length; at += 512) yield samples.slice(at, at + 512);
        }
        let heard = '';
        for await (const transcript of asr.recognize(chunks(), new AbortController().signal)) {
          heard = transcript.text;
          if (!transcript.final) partials++;
        }
        const said = plainWords(text);
        words += said.length;
        errors += wordErrors(said, plainWords(heard));
      }
      expect(errors / words).toBeLessThan(0.2);
      // Those that take whole utterances give none where a decode takes long.
      if (entry.family === 'zipformer') expect(partials).toBeGreaterThan(0);
    });
  });
}
