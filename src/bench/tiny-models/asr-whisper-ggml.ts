import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { toHalf } from '../../server/weights/half.ts';

/** Whisper's tokens, as whisper.cpp numbers them in a multilingual model (`n_vocab` 51865). */
const VOCABULARY = 51_865;
const [END, TRANSCRIBE, TIME_0] = [50_257, 50_359, 50_364];
const [BLANK, HELLO, THERE] = [220, 1000, 1001];
const TIME_1 = TIME_0 + 50;
/** What follows what. */
const NEXT: readonly (readonly [before: number, after: number])[] = [
  [TRANSCRIBE, TIME_0],
  [TIME_0, HELLO],
  [HELLO, THERE],
  [THERE, TIME_1],
  [TIME_1, END],
];
const DIM = 16;
/** A token's vector says from these places on what it is, and from half way on when it is to come. */
const IS = 0;
const COMES = DIM / 2;
/** Not 2: whisper.cpp takes that for an early distilled model, which has no timestamps. */
const LAYERS = 3;
const MELS = 80;
/** Of the real 1500 (30 s), so that a decode is quick: only the first three seconds are listened to. */
const AUDIO_CONTEXT = 150;
const TEXT_CONTEXT = 448;
const FFT = 201;
const [F32, F16] = [0, 1];

/** A Whisper in whisper.cpp's ggml format, with the tensors of the real ones; it writes `Hello there.` for every sound. */
export async function writeTinyWhisperGgml(path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, Buffer.concat([header(), ...tensors()]));
  return path;
}

const int = (...values: readonly number[]) => Buffer.from(Int32Array.from(values).buffer);

function header(): Buffer {
  const sizes = [VOCABULARY, AUDIO_CONTEXT, DIM, 2, LAYERS, TEXT_CONTEXT, DIM, 2, LAYERS, MELS, F16];
  // Each filter takes a stretch of the spectrum; whisper.cpp multiplies the power spectrum by these.
  const filters = new Float32Array(MELS * FFT);
  for (let mel = 0; mel < MELS; mel++) filters.fill(0.02, mel * FFT + 2 * mel, mel * FFT + 2 * mel + 4);
  const words = Array.from({ length: END }, (_, id) => {
    const word = id === BLANK ? ' ' : id === HELLO ? ' Hello' : id === THERE ? ' there.' : `<${id}>`;
    const bytes = Buffer.from(word);
    return Buffer.concat([int(bytes.length), bytes]);
  });
  return Buffer.concat([
    Buffer.from('lmgg'),
    int(...sizes),
    int(MELS, FFT),
    Buffer.from(filters.buffer),
    int(words.length),
    ...words,
  ]);
}

/** A tensor as it stands in the file: its dimensions from the innermost outwards. */
function tensor(name: string, dims: readonly number[], fill: number | ((data: Float32Array) => void) = 0): Buffer {
  const data = new Float32Array(dims.reduce((product, dim) => product * dim, 1));
  if (typeof fill === 'number') data.fill(fill);
  else fill(data);
  // As in the published files, of which whisper.cpp takes it for granted: some versions convolve by nothing else.
  const type = dims.length > 1 && !/\.(?:bias|positional_embedding)$/.test(name) ? F16 : F32;
  const values = type === F16 ? toHalf(data) : data;
  const bytes = Buffer.from(name);
  return Buffer.concat([int(dims.length, bytes.length, type, ...dims), bytes, Buffer.from(values.buffer)]);
}

function tensors(): Buffer[] {
  return [
    tensor('encoder.positional_embedding', [DIM, AUDIO_CONTEXT]),
    tensor('encoder.conv1.weight', [3, MELS, DIM], (data) => data.fill(0.01)),
    tensor('encoder.conv1.bias', [1, DIM]),
    tensor('encoder.conv2.weight', [3, DIM, DIM], (data) => data.fill(0.01)),
    tensor('encoder.conv2.bias', [1, DIM]),
    tensor('encoder.ln_post.weight', [DIM], 1),
    tensor('encoder.ln_post.bias', [DIM]),
    tensor('decoder.positional_embedding', [DIM, TEXT_CONTEXT]),
    tensor('decoder.token_embedding.weight', [DIM, VOCABULARY], tokenVectors),
    tensor('decoder.ln.weight', [DIM], (data) => data.fill(4, COMES)),
    tensor('decoder.ln.bias', [DIM]),
    ...Array.from({ length: LAYERS }, (_, layer) => [
      ...block(`encoder.blocks.${layer}`),
      ...block(`decoder.blocks.${layer}`, layer === 0 ? follow : undefined),
      ...attention(`decoder.blocks.${layer}.cross_attn`),
    ]).flat(),
  ];
}

function tokenVectors(data: Float32Array): void {
  NEXT.forEach(([before, after], i) => {
    data[before * DIM + IS + i] = 1;
    data[after * DIM + COMES + i] = 1;
  });
}

/** Attention that adds nothing. */
function attention(name: string): Buffer[] {
  const square = (part: string) => tensor(`${name}.${part}.weight`, [DIM, DIM]);
  const bias = (part: string) => tensor(`${name}.${part}.bias`, [DIM]);
  return [
    tensor(`${name}_ln.weight`, [DIM], 1),
    tensor(`${name}_ln.bias`, [DIM]),
    ...['query', 'key', 'value', 'out'].map(square),
    ...['query', 'value', 'out'].map(bias),
  ];
}

type Mlp = { readonly first: (data: Float32Array) => void; readonly second: (data: Float32Array) => void };

/** A part of the network that adds nothing, but for what `mlp` does. */
function block(name: string, mlp?: Mlp): Buffer[] {
  return [
    ...attention(`${name}.attn`),
    tensor(`${name}.mlp_ln.weight`, [DIM], 1),
    tensor(`${name}.mlp_ln.bias`, [DIM]),
    tensor(`${name}.mlp.0.weight`, [DIM, 4 * DIM], mlp?.first),
    tensor(`${name}.mlp.0.bias`, [4 * DIM], mlp ? -2 : 0),
    tensor(`${name}.mlp.2.weight`, [4 * DIM, DIM], mlp?.second),
    tensor(`${name}.mlp.2.bias`, [DIM]),
  ];
}

/** From what a token is to what comes next. */
const follow: Mlp = {
  first: (data) => {
    for (let i = 0; i < NEXT.length; i++) data[i * DIM + IS + i] = 2;
  },
  second: (data) => {
    for (let i = 0; i < NEXT.length; i++) data[(COMES + i) * 4 * DIM + i] = 20;
  },
};
