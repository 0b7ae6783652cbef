import { file, sum } from './manifest-files.ts';
import { LANGUAGES, type ModelFile, type VideoModel } from './model-entry.ts';

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
  weights: VideoModel['weights'],
  title: string,
  infix: string,
  expertBytes: number,
  quality: number,
): VideoModel => ({
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
export const VIDEO_MODELS: readonly VideoModel[] = [
  wan22('bf16', 'Wan2.2 I2V A14B, 4 steps (16 bits)', '', 28.6e9, 84),
  wan22('fp8', 'Wan2.2 I2V A14B, 4 steps (fp8)', 'scaled_fp8_e4m3_', 15e9, 80),
  wan22('int8', 'Wan2.2 I2V A14B, 4 steps (int8)', 'int8_', 15e9, 78),
];
