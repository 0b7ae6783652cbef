import { file, sum } from './manifest-files.ts';
import type { AsrModel, Language } from './model-entry.ts';

const ALL: readonly Language[] = ['en', 'zh', 'de', 'fr', 'es', 'ja'];
const sherpa = { stage: 'asr', engine: 'sherpa' } as const;

/** One language's streaming transducer of Banafo's Kroko, with punctuation and capitals. */
const kroko = (
  language: 'en' | 'de' | 'fr' | 'es',
  title: string,
  revision: string,
  files: AsrModel['files'],
): AsrModel => ({
  ...sherpa,
  id: `zipformer-${language}-kroko`,
  title: `Zipformer ${title} (Kroko, streaming)`,
  family: 'zipformer',
  repo: `csukuangfj/sherpa-onnx-streaming-zipformer-${language}-kroko-2025-08-06`,
  revision,
  files,
  totalBytes: sum(files),
  licence: 'as stated by Banafo/Kroko-ASR on the hub',
  languages: [language],
  memoryBytes: 0.3e9,
  quality: 56,
});

/** Whisper as ONNX, of one size. */
const whisperOnnx = (
  size: 'base' | 'small' | 'turbo',
  revision: string,
  files: AsrModel['files'],
  memoryBytes: number,
  quality: number,
): AsrModel => ({
  ...sherpa,
  id: `whisper-${size}-onnx`,
  title: `Whisper ${size} (int8)`,
  family: 'whisper-onnx',
  repo: `csukuangfj/sherpa-onnx-whisper-${size}`,
  revision,
  files,
  totalBytes: sum(files),
  licence: 'MIT',
  languages: ALL,
  memoryBytes,
  quality,
});

const WHISPER_TOKENS = [816_730, 'b34b360dbb493e781e479794586d661700670d65564001f23024971d1f2fa126'] as const;

/** whisper.cpp's models; repository and checksums: Sotto's model manifest, Vocalinux and others pin the same commit. */
const whisperCpp = (id: string, title: string, files: AsrModel['files'], bytes: number, quality: number): AsrModel => ({
  stage: 'asr',
  engine: 'whisper',
  id,
  title,
  family: 'whisper-ggml',
  repo: 'ggerganov/whisper.cpp',
  revision: '5359861c739e955e79d9a303bcbc70fb988958b1',
  files,
  totalBytes: bytes,
  licence: 'MIT',
  languages: ALL,
  // The weights, and what encoding and decoding keep.
  memoryBytes: bytes + 0.4e9,
  quality,
});

const PARAKEET_V2 = [
  file('encoder', 'encoder.int8.onnx', 652_184_296, 'a32b12d17bbbc309d0686fbbcc2987b5e9b8333a7da83fa6b089f0a2acd651ab'),
  file('decoder', 'decoder.int8.onnx', 7_257_753, 'b6bb64963457237b900e496ee9994b59294526439fbcc1fecf705b31a15c6b4e'),
  file('joiner', 'joiner.int8.onnx', 1_739_080, '7946164367946e7f9f29a122407c3252b680dbae9a51343eb2488d057c3c43d2'),
  file('tokens', 'tokens.txt', 9_384, 'ec182b70dd42113aff6c5372c75cac58c952443eb22322f57bbd7f53977d497d'),
];
const PARAKEET_V3 = [
  file('encoder', 'encoder.int8.onnx', 652_184_281, 'acfc2b4456377e15d04f0243af540b7fe7c992f8d898d751cf134c3a55fd2247'),
  file('decoder', 'decoder.int8.onnx', 11_845_275, '179e50c43d1a9de79c8a24149a2f9bac6eb5981823f2a2ed88d655b24248db4e'),
  file('joiner', 'joiner.int8.onnx', 6_355_277, '3164c13fc2821009440d20fcb5fdc78bff28b4db2f8d0f0b329101719c0948b3'),
  file('tokens', 'tokens.txt', 93_939, 'd58544679ea4bc6ac563d1f545eb7d474bd6cfa467f0a6e2c1dc1c7d37e3c35d'),
];
const MOONSHINE_BASE = [
  file('preprocess', 'preprocess.onnx', 14_077_290, 'ffa630d395c5ccf76f5d4954be5b882df76aaf6491519ec01fd82ea7a3819fb2'),
  file('encoder', 'encode.int8.onnx', 50_311_494, '7e38770f776f2e5583a53b052936005df2ba5c833d7e09c2a5fd796b94bf73e2'),
  file(
    'uncachedDecoder',
    'uncached_decode.int8.onnx',
    122_120_451,
    'c01f4b35093bcac20d352d23a75a539e772964579f9d024a90e5e6f09cae9987',
  ),
  file(
    'cachedDecoder',
    'cached_decode.int8.onnx',
    99_983_837,
    '2db74e51cedf64a8b1be3c8192e0bb5e4923af0e90bd9e87f8e8771873f8ea03',
  ),
  file('tokens', 'tokens.txt', 436_688, '1165c2aeb9f72f457a83be2d459a09054f27490acd9b41bd43794dfd25e296ea'),
];
const SENSE_VOICE = [
  file('model', 'model.int8.onnx', 239_233_841, 'c71f0ce00bec95b07744e116345e33d8cbbe08cef896382cf907bf4b51a2cd51'),
  file('tokens', 'tokens.txt', 315_894, 'f449eb28dc567533d7fa59be34e2abca8784f771850c78a47fb731a31429a1dc'),
];
const ZIPFORMER_ZH = [
  file('encoder', 'encoder.int8.onnx', 161_141_793, '5ac51e27981bb4dab01bb9be4958453ba50c3b61c063ddda0eab23fd3671aa4f'),
  file('decoder', 'decoder.onnx', 5_165_083, '06522ad63cec0fdf6809f4e1db9bb4f7d710c34582e3b35db62ac60eccafac7e'),
  file('joiner', 'joiner.int8.onnx', 1_033_416, 'b34584dc6f561089e1d747fedebb3765f2caa72c927ef54d7ca55e5ae40a814b'),
  file('tokens', 'tokens.txt', 20_628, '6193c7ea1c96d0d9a1e9652789b40d13a8a913b434a5451e93158f5a09fd6652'),
];

/** Best first. */
export const ASR_MODELS: readonly AsrModel[] = [
  {
    ...sherpa,
    // Commit and checksums: English Coach 60's SherpaModelStore. Licence: the repository's card.
    id: 'parakeet-tdt-0.6b-v2',
    title: 'Parakeet TDT 0.6B v2 (int8)',
    family: 'parakeet',
    repo: 'csukuangfj/sherpa-onnx-nemo-parakeet-tdt-0.6b-v2-int8',
    revision: 'b9bd32696df49cbb1e7e499238a22804c82f9ef7',
    files: PARAKEET_V2,
    totalBytes: sum(PARAKEET_V2),
    licence: 'CC-BY-4.0',
    languages: ['en'],
    memoryBytes: 1.4e9,
    quality: 90,
  },
  {
    ...sherpa,
    // Commit and checksums: rostrumstudios/speech on the hub, and Queen Bee's voice packs.
    id: 'parakeet-tdt-0.6b-v3',
    title: 'Parakeet TDT 0.6B v3 (int8)',
    family: 'parakeet',
    repo: 'csukuangfj/sherpa-onnx-nemo-parakeet-tdt-0.6b-v3-int8',
    revision: '2bda32ec70b097a55adaa07d9a7173915b43cc78',
    files: PARAKEET_V3,
    totalBytes: sum(PARAKEET_V3),
    licence: 'CC-BY-4.0',
    languages: ['en', 'de', 'fr', 'es'],
    memoryBytes: 1.4e9,
    quality: 88,
  },
  whisperCpp(
    'whisper-large-v3-turbo-q8',
    'Whisper large-v3 turbo (ggml, q8_0)',
    [
      file(
        'model',
        'ggml-large-v3-turbo-q8_0.bin',
        874_188_075,
        '317eb69c11673c9de1e1f0d459b253999804ec71ac4c23c17ecf5fbe24e259a1',
      ),
    ],
    874_188_075,
    84,
  ),
  whisperCpp(
    'whisper-large-v3-turbo-q5',
    'Whisper large-v3 turbo (ggml, q5_0)',
    [
      file(
        'model',
        'ggml-large-v3-turbo-q5_0.bin',
        undefined,
        '394221709cd5ad1f40c46e6031ca61bce88931e6e088c188294c6d5a55ffa7e2',
      ),
    ],
    574_000_000,
    82,
  ),
  // Commit and checksums: Queen Bee's voice packs.
  whisperOnnx(
    'turbo',
    '2ca6ff69fc878651b770880507669577ac41c2ff',
    [
      file(
        'encoder',
        'turbo-encoder.int8.onnx',
        674_716_297,
        'b02dcdf54f348741e93fe732b67d933c8dcb6735655f710640143081db38878b',
      ),
      file(
        'decoder',
        'turbo-decoder.int8.onnx',
        361_080_764,
        '20accd02388482eb3a46bd615631adfdc85e1eb2c7db9ea3f02a40ffe6b81547',
      ),
      file('tokens', 'turbo-tokens.txt', ...WHISPER_TOKENS),
    ],
    1.8e9,
    80,
  ),
  {
    ...sherpa,
    // Commit, sizes and checksums: Sotto's bundle manifest. The first version: the second is made of ORT files, and its
    // decoders of some languages stop after nine seconds.
    id: 'moonshine-base-en',
    title: 'Moonshine base (int8)',
    family: 'moonshine',
    repo: 'csukuangfj/sherpa-onnx-moonshine-base-en-int8',
    revision: '052b0798ad1bf046a140fdd4efcd9426530fa3f5',
    files: MOONSHINE_BASE,
    totalBytes: sum(MOONSHINE_BASE),
    licence: 'MIT',
    languages: ['en'],
    memoryBytes: 0.8e9,
    quality: 65,
  },
  {
    ...sherpa,
    // Commit and checksums: Sotto's bundle manifest. The export of 2025-09-09 was reported to fail with sherpa-onnx 1.13.8.
    id: 'sense-voice-small',
    title: 'SenseVoice small (int8)',
    family: 'sense-voice',
    repo: 'csukuangfj/sherpa-onnx-sense-voice-zh-en-ja-ko-yue-2024-07-17',
    revision: '2365baeacb507f821a0c8120fcee3d484dba7a07',
    files: SENSE_VOICE,
    totalBytes: sum(SENSE_VOICE),
    licence: 'FunASR Model License 1.1',
    languages: ['en', 'zh', 'ja'],
    memoryBytes: 0.7e9,
    quality: 64,
  },
  // Sizes and checksums: FongMi TV's AsrModel; the repository's later commits only add files.
  whisperOnnx(
    'small',
    'main',
    [
      file(
        'encoder',
        'small-encoder.int8.onnx',
        112_442_483,
        '4cbe7b22fa9026b843b60a68640c747de05bafb1a11b57edc0e66c232d9f33a9',
      ),
      file(
        'decoder',
        'small-decoder.int8.onnx',
        262_226_114,
        'acad50b5c782696e91b55914cc5ab4f756f1532f76e22aa6fc615f39fb69a8ee',
      ),
      file('tokens', 'small-tokens.txt', ...WHISPER_TOKENS),
    ],
    0.9e9,
    58,
  ),
  // Commits, sizes and checksums of all four: FongMi TV's AsrModel.
  kroko('en', 'English', '572aaf4e2e0c603c3fc2a574d096e755a178faa1', [
    file('encoder', 'encoder.onnx', 70_092_599, 'd4881c57449d581e0770fd53fa66c2fdc6cd167d92ece7c715e603defc96d9d4'),
    file('decoder', 'decoder.onnx', 617_488, '455ba38466fce8d5a57e7db68a323b684079ca4d9e1dd93a740d9b2429aae3b1'),
    file('joiner', 'joiner.onnx', 336_817, 'd406f616736350e2a7df3e39398b78eb2fc1a2ca6973a19d3853fa3227e25b52'),
    file('tokens', 'tokens.txt', 6_310, '396dbeb5f4858875690716084f54e90d339679d0ba3e6b5b584f3d7589254d2d'),
  ]),
  kroko('de', 'German', '887db3d083240198c2d2b99fb66cfcfe6948ced8', [
    file('encoder', 'encoder.onnx', 70_091_557, '6e83993d6967ec7a3498b055b7e85ace85b5d64d1b1e8773cb29a43a11f5edb5'),
    file('decoder', 'decoder.onnx', 617_489, '94a29592b403c53fa2231b478637da1ab4abcef7f5e46e432098416a4a3ed562'),
    file('joiner', 'joiner.onnx', 336_817, '28356bff070aea51ab1d725a3278e81d19f9300f860d3248a7014292264df15a'),
    file('tokens', 'tokens.txt', 5_606, '86e8370994ff2c01149ba8c4f8709aa93cdc18914b27a717e291e96faf39a6eb'),
  ]),
  kroko('fr', 'French', '08b84b7b7cf519be9817e9c16919d96a7a8bad91', [
    file('encoder', 'encoder.onnx', 70_092_599, 'e02facae1daf6f1f13da67ea3ace7c722516d0868d1768d78c0580bc22cc0c5b'),
    file('decoder', 'decoder.onnx', 617_488, '6aed547570e3ab5afc05429a017cedd3a056c16df3baa5703f02461cefa25bac'),
    file('joiner', 'joiner.onnx', 336_817, 'a51eec759bcdcaae2614686fa2a8b57417b2d420dd55a5a5558b388d35a9b2b6'),
    file('tokens', 'tokens.txt', 5_415, 'fedfb9c844bfb2bf14171f8184863e3d617b815a8667bdd9fc9a3149fde73298'),
  ]),
  kroko('es', 'Spanish', '20cf7a4921613397841d31168796cade5b866585', [
    file('encoder', 'encoder.onnx', 154_878_102, '2d9f5ef87d1a5257f8a6687e21501c56f3aa2fcbfcfab9364dcc4ce4e06ae81b'),
    file('decoder', 'decoder.onnx', 617_488, 'd4ce176b94b25f7acc88717bc3f704fcf5d6e131aaac2e0cabab3885541181ee'),
    file('joiner', 'joiner.onnx', 336_817, 'dae35df88d676e320fcdb99217328e66dcf722bf11b0f2459e14ddb5b982ded5'),
    file('tokens', 'tokens.txt', 6_385, '1be5e0a58e05d06d327df4c6b7b5e4f8aba01da6981eb016fcaceafc6a56680f'),
  ]),
  {
    ...sherpa,
    // Commit, sizes and checksums: a list of streaming models that pins the same commits for Kroko.
    id: 'zipformer-zh',
    title: 'Zipformer Chinese (int8, streaming)',
    family: 'zipformer',
    repo: 'csukuangfj/sherpa-onnx-streaming-zipformer-zh-int8-2025-06-30',
    revision: 'ad658fa0201659a09ea3c176129a191c77ecae8f',
    files: ZIPFORMER_ZH,
    totalBytes: sum(ZIPFORMER_ZH),
    licence: 'not stated by its repository',
    languages: ['zh'],
    memoryBytes: 0.5e9,
    quality: 56,
  },
  {
    ...sherpa,
    // Files: the sherpa-onnx documentation lists them and their sizes.
    id: 'moonshine-tiny-en',
    title: 'Moonshine tiny (int8)',
    family: 'moonshine',
    repo: 'csukuangfj/sherpa-onnx-moonshine-tiny-en-int8',
    revision: 'main',
    files: [
      file('preprocess', 'preprocess.onnx'),
      file('encoder', 'encode.int8.onnx'),
      file('uncachedDecoder', 'uncached_decode.int8.onnx'),
      file('cachedDecoder', 'cached_decode.int8.onnx'),
      file('tokens', 'tokens.txt'),
    ],
    totalBytes: 125_000_000,
    licence: 'MIT',
    languages: ['en'],
    memoryBytes: 0.4e9,
    quality: 50,
  },
  // Sizes and checksums: FongMi TV's AsrModel.
  whisperOnnx(
    'base',
    'main',
    [
      file(
        'encoder',
        'base-encoder.int8.onnx',
        29_120_534,
        '0b8fb1304b6109976038efff5ace81720e00386f3ff6b54ee8c75291ca0a1e11',
      ),
      file(
        'decoder',
        'base-decoder.int8.onnx',
        130_672_026,
        '9759d217388a01b3a4c7c15533201067b48ae819c4daafc8624e64b9409dc02d',
      ),
      file('tokens', 'base-tokens.txt', ...WHISPER_TOKENS),
    ],
    0.5e9,
    40,
  ),
];
