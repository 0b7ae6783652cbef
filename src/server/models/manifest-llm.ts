import { LANGUAGES, type LlmModel } from './model-entry.ts';

type Facts = Pick<
  LlmModel,
  'id' | 'title' | 'repo' | 'revision' | 'parameters' | 'layers' | 'kvBytesPerToken' | 'quality'
> & { readonly path: string; readonly bytes: number; readonly sha256: string; readonly activeShare?: number };

/** A Qwen3 model in 4 bits; layers and cache from the model's config.json: 2 × layers × KV heads × 128 × 2 bytes. */
const qwen = ({ path, bytes, sha256, ...facts }: Facts): LlmModel => ({
  ...facts,
  stage: 'llm',
  engine: 'llama',
  family: 'gguf',
  files: [{ role: 'model', path, bytes, sha256 }],
  totalBytes: bytes,
  licence: 'Apache-2.0',
  languages: LANGUAGES,
  // The weights and llama.cpp's work space for batches of 512 tokens.
  memoryBytes: bytes + 0.3e9,
});

/** Best first. */
export const LLM_MODELS: readonly LlmModel[] = [
  // Size and checksum: two independent measurement scripts; of the commit nothing is known to us.
  qwen({
    id: 'qwen3-30b-a3b-instruct',
    title: 'Qwen3 30B-A3B Instruct 2507 (Q4_K_M)',
    repo: 'unsloth/Qwen3-30B-A3B-Instruct-2507-GGUF',
    revision: 'main',
    path: 'Qwen3-30B-A3B-Instruct-2507-Q4_K_M.gguf',
    bytes: 18_556_686_752,
    sha256: '6c997b8af17debdfb01d890214400ccbab00db6acc0ba8da5de1cc906c4774d0',
    parameters: 30.5,
    layers: 48,
    kvBytesPerToken: 98_304,
    activeShare: 0.11,
    quality: 86,
  }),
  // Commit, size and checksum: several programs pin the same, such as LocalTranslate's model list.
  qwen({
    id: 'qwen3-14b',
    title: 'Qwen3 14B (Q4_K_M)',
    repo: 'Qwen/Qwen3-14B-GGUF',
    revision: '530227a7d994db8eca5ab5ced2fb692b614357fd',
    path: 'Qwen3-14B-Q4_K_M.gguf',
    bytes: 9_001_752_960,
    sha256: '500a8806e85ee9c83f3ae08420295592451379b4f8cf2d0f41c15dffeb6b81f0',
    parameters: 14.8,
    layers: 40,
    kvBytesPerToken: 163_840,
    quality: 78,
  }),
  qwen({
    id: 'qwen3-8b',
    title: 'Qwen3 8B (Q4_K_M)',
    repo: 'Qwen/Qwen3-8B-GGUF',
    revision: '7c41481f57cb95916b40956ab2f0b139b296d974',
    path: 'Qwen3-8B-Q4_K_M.gguf',
    bytes: 5_027_783_488,
    sha256: 'd98cdcbd03e17ce47681435b5150e34c1417f50b5c0019dd560e4882c5745785',
    parameters: 8.2,
    layers: 36,
    kvBytesPerToken: 147_456,
    quality: 70,
  }),
  // Commit, size and checksum: Recall's model installer. Does not think aloud, which suits speech.
  qwen({
    id: 'qwen3-4b-instruct',
    title: 'Qwen3 4B Instruct 2507 (Q4_K_M)',
    repo: 'bartowski/Qwen_Qwen3-4B-Instruct-2507-GGUF',
    revision: 'ae44f08e1392f39c0e474af10c3ff8355c8b6688',
    path: 'Qwen_Qwen3-4B-Instruct-2507-Q4_K_M.gguf',
    bytes: 2_497_280_736,
    sha256: '2fde00ce69dd4899c70d020845e2638353015bba0fdf161b3eb965f2bca4464e',
    parameters: 4,
    layers: 36,
    kvBytesPerToken: 147_456,
    quality: 62,
  }),
  // Commit, size and checksum: RewordMe's catalogue of offline models.
  qwen({
    id: 'qwen3-1.7b',
    title: 'Qwen3 1.7B (Q4_K_M)',
    repo: 'ggml-org/Qwen3-1.7B-GGUF',
    revision: 'daeb8e2d528a760970442092f6bf1e55c3b659eb',
    path: 'Qwen3-1.7B-Q4_K_M.gguf',
    bytes: 1_282_439_264,
    sha256: 'd2387ca2dbfee2ffabce7120d3770dadca0b293052bc2f0e138fdc940d9bc7b5',
    parameters: 1.7,
    layers: 28,
    kvBytesPerToken: 114_688,
    quality: 45,
  }),
  // Commit, size and checksum: a list of built-in models for 2 GB devices; a second one has the same size and checksum.
  qwen({
    id: 'qwen3-0.6b',
    title: 'Qwen3 0.6B (Q4_K_M)',
    repo: 'unsloth/Qwen3-0.6B-GGUF',
    revision: '50968a4468ef4233ed78cd7c3de230dd1d61a56b',
    path: 'Qwen3-0.6B-Q4_K_M.gguf',
    bytes: 396_705_472,
    sha256: 'ac2d97712095a558e31573f62f466a3f9d93990898b0ec79d7c974c1780d524a',
    parameters: 0.6,
    layers: 28,
    kvBytesPerToken: 114_688,
    quality: 30,
  }),
];
