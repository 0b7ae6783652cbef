import { byteLetters, words } from './byte-vocabulary.ts';
import { CHATML_TEMPLATE } from './chat-templates.ts';
import { type GgufTensor, type GgufValue, writeGguf } from './gguf.ts';

/** How a tiny llama is made; everything has a default. */
export type TinyLlama = {
  readonly seed?: number;
  readonly layers?: number;
  /** Width of the hidden state; a multiple of 16. */
  readonly width?: number;
  readonly contextLength?: number;
  /** The Jinja chat template in the file; `''` leaves it out, as in base models. */
  readonly chatTemplate?: string;
  /** Pairs of tokens, the second of which nearly always follows the first; a quarter of the width at most. */
  readonly follows?: readonly (readonly [before: string, after: string])[];
  /** How often it ends a reply of its own accord, as a logit (others are about -4 to 4); never when left out. */
  readonly endLogit?: number;
  /** What it babbles in: common words, or any bytes, of which hardly any make letters. */
  readonly babble?: 'words' | 'bytes';
  /** The architecture that the file names; llama.cpp refuses those it does not know. */
  readonly architecture?: string;
};

/** Tokens with a meaning of their own: controls are never parsed from a user's text. */
const CONTROL_TOKENS = ['<|endoftext|>', '<|im_start|>', '<|im_end|>'] as const;
const MARKERS = ['<think>', '</think>', '<tool_call>', '</tool_call>'] as const;

const KIND = { normal: 1, control: 3, userDefined: 4 } as const;
/** The hidden state's first entry is the same for every token, so that an output row can hold a constant logit in it. */
const CONSTANT = 2;
const NEVER = -60;
const ALWAYS = 100;
const SIGNAL = 4;

/**
 * Writes a real llama of random weights, reproducible by its seed, that babbles in English words: rotary attention, gated
 * feed-forward, a byte-level BPE tokenizer by which any text comes back as it was, and a chat template.
 */
export function writeTinyLlama(path: string, made: TinyLlama = {}): void {
  const { seed = 1, layers = 2, width = 64, contextLength = 4_096, chatTemplate = CHATML_TEMPLATE } = made;
  const { architecture = 'llama', follows = [], endLogit = NEVER, babble = 'words' } = made;
  const vocabulary = words();
  const tokens = [...CONTROL_TOKENS, ...MARKERS, ...vocabulary.tokens];
  const idOf = (token: string): number => {
    const letters = byteLetters(token);
    const id = tokens.findIndex((one) => one === token || one === letters);
    if (id < 0) throw new Error(`The tiny model has no token ${JSON.stringify(token)}.`);
    return id;
  };
  const kinds = tokens.map((_, i) =>
    i < CONTROL_TOKENS.length
      ? KIND.control
      : i < CONTROL_TOKENS.length + MARKERS.length
        ? KIND.userDefined
        : KIND.normal,
  );
  const heads = 4;
  const metadata: Record<string, GgufValue> = {
    'general.architecture': { type: 'string', value: architecture },
    'general.name': { type: 'string', value: 'tiny random llama' },
    'general.file_type': { type: 'u32', value: 0 },
    [`${architecture}.context_length`]: { type: 'u32', value: contextLength },
    [`${architecture}.embedding_length`]: { type: 'u32', value: width },
    [`${architecture}.block_count`]: { type: 'u32', value: layers },
    [`${architecture}.feed_forward_length`]: { type: 'u32', value: width * 2 },
    [`${architecture}.attention.head_count`]: { type: 'u32', value: heads },
    [`${architecture}.attention.head_count_kv`]: { type: 'u32', value: heads / 2 },
    [`${architecture}.attention.layer_norm_rms_epsilon`]: { type: 'f32', value: 1e-5 },
    [`${architecture}.rope.dimension_count`]: { type: 'u32', value: width / heads },
    [`${architecture}.vocab_size`]: { type: 'u32', value: tokens.length },
    'tokenizer.ggml.model': { type: 'string', value: 'gpt2' },
    'tokenizer.ggml.pre': { type: 'string', value: 'qwen2' },
    'tokenizer.ggml.tokens': { type: 'strings', value: tokens },
    'tokenizer.ggml.token_type': { type: 'i32s', value: kinds },
    'tokenizer.ggml.merges': { type: 'strings', value: vocabulary.merges },
    'tokenizer.ggml.bos_token_id': { type: 'u32', value: idOf('<|endoftext|>') },
    'tokenizer.ggml.eos_token_id': { type: 'u32', value: idOf('<|im_end|>') },
    'tokenizer.ggml.add_bos_token': { type: 'bool', value: false },
    ...(chatTemplate === '' ? {} : { 'tokenizer.chat_template': { type: 'string', value: chatTemplate } as const }),
  };
  const random = normal(seed);
  const matrix = (rows: number, columns: number, deviation: number) =>
    Float32Array.from({ length: rows * columns }, () => random() * deviation);
  const ones = () => new Float32Array(width).fill(1);
  const embeddings = matrix(tokens.length, width, 1);
  const output = matrix(tokens.length, width, 0.25);
  tokens.forEach((token, id) => {
    const row = id * width;
    embeddings[row] = CONSTANT;
    for (let i = 0; i < follows.length; i++) embeddings[row + 1 + i] = 0;
    for (let i = 0; i < follows.length; i++) output[row + 1 + i] = 0;
    const logit =
      token === '<|im_end|>'
        ? endLogit
        : vocabulary.spoken.has(token) || (babble === 'bytes' && kinds[id] === KIND.normal)
          ? 0
          : NEVER;
    output[row] = logit / CONSTANT;
  });
  follows.forEach(([before, after], i) => {
    embeddings[idOf(before) * width + 1 + i] = SIGNAL;
    output[idOf(after) * width + 1 + i] = ALWAYS / SIGNAL;
  });
  const block = (i: number): GgufTensor[] => {
    const small = 0.3 / Math.sqrt(width);
    const of = (name: string, columns: number, rows: number): GgufTensor => ({
      name: `blk.${i}.${name}.weight`,
      shape: [columns, rows],
      data: matrix(rows, columns, small),
    });
    return [
      { name: `blk.${i}.attn_norm.weight`, shape: [width], data: ones() },
      of('attn_q', width, width),
      of('attn_k', width, width / 2),
      of('attn_v', width, width / 2),
      of('attn_output', width, width),
      { name: `blk.${i}.ffn_norm.weight`, shape: [width], data: ones() },
      of('ffn_gate', width, width * 2),
      of('ffn_up', width, width * 2),
      of('ffn_down', width * 2, width),
    ];
  };
  writeGguf(path, metadata, [
    { name: 'token_embd.weight', shape: [width, tokens.length], data: embeddings },
    ...Array.from({ length: layers }, (_, i) => block(i)).flat(),
    { name: 'output_norm.weight', shape: [width], data: ones() },
    { name: 'output.weight', shape: [width, tokens.length], data: output },
  ]);
}

/** Normally distributed numbers, the same for the same seed: xorshift32, and Box and Muller's transform. */
function normal(seed: number): () => number {
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  const uniform = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return ((state >>> 0) + 1) / 4_294_967_297;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}
