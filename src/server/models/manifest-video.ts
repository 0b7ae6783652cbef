import { file, sum } from './manifest-files.ts';
import { LANGUAGES, type ModelFile, type MuseTalkModel, type VideoModel, type Wan22Model } from './model-entry.ts';

/** Where all that the two experts share comes from: text encoder, tokenizer, image coder and the experts' `config.json`. */
export const WAN22_BASE_REPO = 'Wan-AI/Wan2.2-I2V-A14B';

/**
 * What of the base repository is never fetched, as globs: the experts' own shards (57 GB each), which the distilled ones
 * replace, and pictures for its page. Both `config.json` are not among them: LightX2V reads the model's shape from one.
 */
export const BASE_REPO_IGNORE_PATTERNS: readonly string[] = [
  'high_noise_model/*.safetensors',
  'high_noise_model/*.safetensors.index.json',
  'low_noise_model/*.safetensors',
  'low_noise_model/*.safetensors.index.json',
  'assets/*',
  'examples/*',
];

/** Whether a path of the base repository is left out; a `*` stands for anything, also over slashes. */
export const isIgnoredInBase = (path: string): boolean =>
  BASE_REPO_IGNORE_PATTERNS.some((pattern) => {
    const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
    return new RegExp(`^${parts.join('.*')}$`).test(path);
  });

/**
 * Sizes and checksums: the same files of other Wan repositories, as several downloaders pin them; by these, PyTorch's own
 * format is no risk. The text encoder is the one in 16 bits, which needs no kernel of its own on any card.
 */
const BASE: readonly ModelFile[] = [
  file(
    'base',
    'models_t5_umt5-xxl-enc-bf16.pth',
    11_361_920_418,
    '7cace0da2b446bbbbc57d031ab6cf163a3d59b366da94e5afe36745b746fd81d',
  ),
  file('base', 'Wan2.1_VAE.pth', 507_609_880, '38071ab59bd94681c686fa51d75a1968f64e470262043be31f7a094e442fd981'),
  file('base', 'high_noise_model/config.json'),
  file('base', 'low_noise_model/config.json'),
  file('base', 'google/umt5-xxl/special_tokens_map.json'),
  file('base', 'google/umt5-xxl/spiece.model'),
  file('base', 'google/umt5-xxl/tokenizer.json'),
  file('base', 'google/umt5-xxl/tokenizer_config.json'),
].map((one) => ({ ...one, repo: WAN22_BASE_REPO, revision: 'main' }));

/** Of the base's files whose size is not known, together: two short JSON files and the tokenizer. */
const SMALL_BYTES = 21_500_000;

/** Sizes of the experts as their page says them; of commit and checksum nothing is known to us. */
const wan22 = (
  weights: Wan22Model['weights'],
  title: string,
  infix: string,
  expertBytes: number,
  quality: number,
): Wan22Model => ({
  id: `wan22-${weights}`,
  title,
  stage: 'video',
  engine: 'wan22',
  family: 'wan22',
  weights,
  repo: 'lightx2v/Wan2.2-Distill-Models',
  revision: 'main',
  files: [
    file('high-noise', `wan2.2_i2v_A14b_high_noise_${infix}lightx2v_4step.safetensors`),
    file('low-noise', `wan2.2_i2v_A14b_low_noise_${infix}lightx2v_4step.safetensors`),
    ...BASE,
  ],
  totalBytes: 2 * expertBytes + sum(BASE.filter(({ bytes }) => bytes !== undefined)) + SMALL_BYTES,
  licence: 'Apache-2.0',
  languages: LANGUAGES,
  // Both experts and the text encoder, on the card or beside it, and room to work.
  memoryBytes: 2 * expertBytes + 11.4e9 + 4e9,
  quality,
});

/** Best first. */
export const WAN22_MODELS: readonly Wan22Model[] = [
  wan22('bf16', 'Wan2.2 I2V A14B, 4 steps (16 bits)', '', 28.6e9, 84),
  wan22('fp8', 'Wan2.2 I2V A14B, 4 steps (fp8)', 'scaled_fp8_e4m3_', 15e9, 80),
  wan22('int8', 'Wan2.2 I2V A14B, 4 steps (int8)', 'int8_', 15e9, 78),
];

/**
 * MuseTalk 1.5 and the four networks that it works with, each as its makers published it; the roles are what the conversion takes
 * them for. Commits, sizes and checksums: as several programs that fetch the same files pin them, agreeing. Our own reader takes
 * numbers from a `.pth` and runs nothing.
 */
const MUSETALK: readonly ModelFile[] = [
  {
    ...file(
      'unet',
      'musetalkV15/unet.pth',
      3_400_074_924,
      '7ebf6c98c181e20838e4c0054e96e944ac60d5d692cc01db42839fe11b787007',
    ),
    restricted: true,
  },
  file(
    'unetConfig',
    'musetalkV15/musetalk.json',
    748,
    '5b6923aee04d71692e0e9846c471e0a4ea07a4f686d39545e472bd4ba17e1b47',
  ),
  ...from('stabilityai/sd-vae-ft-mse', '31f26fdeee1355a5c34592e401dd41e45d25a493', [
    file(
      'vae',
      'diffusion_pytorch_model.safetensors',
      334_643_276,
      'a1d993488569e928462932c8c38a0760b874d166399b14414135bd9c42df5815',
    ),
    file('vaeConfig', 'config.json', 547, '92d3dfb746fca211a2c9e019e285f8597412211728dce3c5bcf4eda0f2d62e7e'),
  ]),
  ...from('openai/whisper-tiny', '169d4a4341b33bc18d8881c4b69c2e104e1cc0af', [
    file(
      'whisper',
      'model.safetensors',
      151_061_672,
      '7ebd0e69e78190ffe1438491fa05cc1f5c1aa3a4c4db3bc1723adbb551ea2395',
    ),
    file('whisperConfig', 'config.json', 1_983, 'ffdccec4f3211f4c63310f2b7098f309fe70f3952cedc5e4d11e43f5b2379b98'),
  ]),
  ...from('yzd-v/DWPose', 'f7c16a3d45ad3783db41471848c80fbc281cabac', [
    file(
      'pose',
      'dw-ll_ucoco_384.onnx',
      134_399_116,
      '724f4ff2439ed61afb86fb8a1951ec39c6220682803b4a8bd4f598cd913b1843',
    ),
  ]),
  // A copy: its maker has it on a file host only. The checksum is that of his own file.
  ...from('ManyOtherFunctions/face-parse-bisent', '0073b233a5a3c4b1377d4dbf49245017938a72b5', [
    {
      ...file(
        'parser',
        '79999_iter.pth',
        53_289_463,
        '468e13ca13a9b43cc0881a9f99083a430e9c0a38abd935431d1c28ee94b26567',
      ),
      restricted: true,
    },
  ]),
];

function from(repo: string, revision: string, files: readonly ModelFile[]): ModelFile[] {
  return files.map((one) => ({ ...one, repo, revision }));
}

export const MUSETALK_MODEL: MuseTalkModel = {
  id: 'musetalk',
  title: 'MuseTalk 1.5',
  stage: 'video',
  engine: 'musetalk',
  family: 'musetalk',
  repo: 'TMElyralab/MuseTalk',
  revision: '3ef28bc5cff08c90ad8178a25f1b570cd800170f',
  files: MUSETALK,
  totalBytes: sum(MUSETALK),
  licence: 'CreativeML-OpenRAIL-M, MIT, Apache-2.0',
  languages: LANGUAGES,
  // Converted to 16 bits, with room to work.
  memoryBytes: 5e9,
  quality: 70,
};

/** What makes base clips, best first, and what puts the speech into them. */
export const VIDEO_MODELS: readonly VideoModel[] = [...WAN22_MODELS, MUSETALK_MODEL];
