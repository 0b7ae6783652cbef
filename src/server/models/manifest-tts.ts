import { ESPEAK_SOURCE, espeak, file } from './manifest-files.ts';
import type { Language, TtsModel } from './model-entry.ts';

const sherpa = { stage: 'tts', engine: 'sherpa' } as const;

/** Commit and checksums: two programs that pin sherpa-onnx 1.13's Kokoro; 53 voices. The network's size is approximate. */
const KOKORO = [
  file('model', 'model.onnx'),
  file('voices', 'voices.bin', 27_678_720, '8a77c0d397026208d22211f37670b5b3b11e03f190756b25a1d24041fced82a9'),
  file('tokens', 'tokens.txt', 687, '6ebb6bb288f20f3ae8d004d3c2ca27697da27c037d75e81a60e2a6a663f95425'),
  file(
    'lexicon-us',
    'lexicon-us-en.txt',
    5_956_885,
    '7daaab53a181be9885b853a8582bf1838186317e5dadacbcef9c426d6fa0da14',
  ),
];

/** A Piper voice as sherpa-onnx converted it. */
const piper = (
  language: Language,
  voice: string,
  title: string,
  quality: number,
  known: { readonly revision?: string; readonly bytes?: number; readonly sha256?: string } = {},
): TtsModel => ({
  ...sherpa,
  id: `piper-${voice.toLowerCase().replaceAll('_', '-')}`,
  title: `Piper ${title}`,
  family: 'vits',
  repo: `csukuangfj/vits-piper-${voice}`,
  revision: known.revision ?? 'main',
  files: [file('model', `${voice}.onnx`, known.bytes, known.sha256), file('tokens', 'tokens.txt'), ...espeak(language)],
  totalBytes: 65_000_000,
  licence: 'MIT (Piper); for the voice see MODEL_CARD in its repository',
  languages: [language],
  memoryBytes: 0.25e9,
  quality,
});

/** Best first. */
export const TTS_MODELS: readonly TtsModel[] = [
  {
    ...sherpa,
    ...ESPEAK_SOURCE,
    id: 'kokoro-82m',
    title: 'Kokoro 82M v1.0',
    family: 'kokoro',
    files: [...KOKORO, ...espeak('en', 'fr', 'es', 'ja')],
    totalBytes: 361_000_000,
    licence: 'Apache-2.0 (espeak-ng data: GPL-3.0-or-later)',
    // German has no voice; Japanese is read by espeak-ng, which knows kana, and of kanji little.
    languages: ['en', 'fr', 'es', 'ja'],
    memoryBytes: 0.9e9,
    quality: 85,
  },
  {
    ...sherpa,
    ...ESPEAK_SOURCE,
    // Apart from the above, for its rules write every number in Chinese.
    id: 'kokoro-82m-zh',
    title: 'Kokoro 82M v1.0, Chinese',
    family: 'kokoro',
    files: [
      ...KOKORO,
      file('lexicon-zh', 'lexicon-zh.txt'),
      file('rule-fst-phone', 'phone-zh.fst'),
      file('rule-fst-date', 'date-zh.fst'),
      file('rule-fst-number', 'number-zh.fst'),
      ...espeak('en', 'zh'),
    ],
    totalBytes: 365_000_000,
    licence: 'Apache-2.0 (espeak-ng data: GPL-3.0-or-later)',
    languages: ['zh'],
    memoryBytes: 0.9e9,
    quality: 85,
  },
  piper('de', 'de_DE-thorsten-medium', 'Thorsten, German (medium)', 60),
  piper('fr', 'fr_FR-siwis-medium', 'Siwis, French (medium)', 60),
  // Checksums of the next and of Huayan: Gemma Live's download manager.
  piper('es', 'es_ES-davefx-medium', 'Davefx, Spanish (medium)', 60, {
    sha256: '329fc723ef304f8688df9ef819eea169a4181f60a77f53e087b19dbca07b09f8',
  }),
  piper('en', 'en_US-lessac-medium', 'Lessac, American (medium)', 56),
  {
    ...sherpa,
    // Commit: a list of voice models that pins it; files and licence: two programs that load it.
    id: 'kitten-nano-en',
    title: 'Kitten nano v0.2',
    family: 'kitten',
    repo: 'csukuangfj/kitten-nano-en-v0_2-fp16',
    revision: '7d14a97d38072576ddca7a673ab5bb49c43bb169',
    files: [
      file('model', 'model.fp16.onnx'),
      file('voices', 'voices.bin'),
      file('tokens', 'tokens.txt'),
      ...espeak('en'),
    ],
    totalBytes: 25_000_000,
    licence: 'Apache-2.0 (espeak-ng data: GPL-3.0-or-later)',
    languages: ['en'],
    memoryBytes: 0.2e9,
    quality: 50,
  },
  piper('zh', 'zh_CN-huayan-medium', 'Huayan, Chinese (medium)', 45, {
    sha256: '04234ec24907e9efa7e153669e07d4e0cf6d260adc005323aa929386dae53f86',
  }),
  // Commit, size and checksum: a Portuguese reader's list of voices.
  piper('en', 'en_US-amy-low', 'Amy, American (low)', 40, {
    revision: '76da6ca287517a49f58b943c4c4fdb0c1e94d61f',
    bytes: 63_104_657,
    sha256: '8275b02c37c4ce6483b26a91704807e6de0c3f0bf8068e5d3b3598ab0da4253e',
  }),
  {
    ...sherpa,
    // Repositories and files: two programs load the vocoder from there. Licence of the voice: the LJ Speech recordings.
    id: 'matcha-en-ljspeech',
    title: 'Matcha LJ Speech',
    family: 'matcha',
    repo: 'csukuangfj/matcha-icefall-en_US-ljspeech',
    revision: 'main',
    files: [
      file('model', 'model-steps-3.onnx'),
      file('tokens', 'tokens.txt'),
      {
        ...file('vocoder', 'vocoder-models/vocos-22khz-univ.onnx'),
        repo: 'k2-fsa/sherpa-onnx-models',
        revision: 'main',
      },
      ...espeak('en'),
    ],
    totalBytes: 130_000_000,
    licence: 'not stated by its repository (LJ Speech: public domain)',
    languages: ['en'],
    memoryBytes: 0.5e9,
    // Not picked before another, as long as its licence is not stated.
    quality: 38,
  },
];
