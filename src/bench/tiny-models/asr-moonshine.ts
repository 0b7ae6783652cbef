import { OnnxGraph, onnxModel } from '../../server/onnx/graph.ts';
import { nextWord, WORDS } from './asr-next-word.ts';
import {
  alsoUsing,
  apply,
  asNumber,
  base64Tokens,
  countAbove,
  f32,
  i64,
  index,
  tokensText,
  writeFiles,
} from './asr-tensors.ts';

const DIM = 4;
const LAYERS = 2;
const HEADS = 2;
const HEAD = 3;
/** Samples per frame of the encoder, and the mean square above which a frame is loud. */
const FRAME = 384;
const LIMIT = 1e-4;
const STATE = ['decoder.key', 'decoder.value', 'encoder.key', 'encoder.value'];

/** The four parts of the first Moonshine; it writes `hello there there`: as many words as there are seconds of loud sound. */
export function writeTinyMoonshine(folder: string) {
  return writeFiles(folder, {
    preprocess: ['preprocess.onnx', preprocess()],
    encoder: ['encode.onnx', encode()],
    uncachedDecoder: ['uncached_decode.onnx', decodeV1(false)],
    cachedDecoder: ['cached_decode.onnx', decodeV1(true)],
    tokens: ['tokens.txt', tokensText(WORDS)],
  });
}

/** The two parts of the second Moonshine; it writes the same. */
export function writeTinyMoonshineV2(folder: string) {
  return writeFiles(folder, {
    encoder: ['encoder_model.onnx', encoderV2()],
    mergedDecoder: ['decoder_model_merged.onnx', decoderV2()],
    tokens: ['tokens.txt', base64Tokens(WORDS)],
  });
}

/** Mean squares of frames, as the first number of each frame's vector. */
function frames(graph: OnnxGraph, audio: string, output: string): void {
  const squares = apply(graph, 'Unsqueeze', graph.node('Mul', [audio, audio]), [i64(1)]);
  const energy = graph.node('AveragePool', [squares], {
    attributes: { kernel_shape: { ints: [FRAME] }, strides: { ints: [FRAME] }, ceil_mode: { int: 1 } },
  });
  const columns = graph.node('Transpose', [energy], { attributes: { perm: { ints: [0, 2, 1] } } });
  apply(graph, 'Mul', columns, [f32([1, 1, DIM], [1, 0, 0, 0])], { outputs: [output] });
  graph.output(output, 'f32', [1, 'T', DIM]);
}

function preprocess(): Uint8Array {
  const graph = new OnnxGraph();
  frames(graph, graph.input('args_0', 'f32', [1, 'samples']), 'sequential');
  return onnxModel(graph);
}

function encode(): Uint8Array {
  const graph = new OnnxGraph();
  const features = graph.input('args_0', 'f32', [1, 'T', DIM]);
  const length = graph.input('args_1', 'i32', [1]);
  graph.node('Identity', [alsoUsing(graph, features, length)], { outputs: ['layer_normalization_12'] });
  graph.output('layer_normalization_12', 'f32', [1, 'T', DIM]);
  return onnxModel(graph);
}

const loudSeconds = (graph: OnnxGraph, encoderOut: string) => countAbove(graph, encoderOut, LIMIT, FRAME / 16_000);

/** The length along `axis`, counted from 1 for the next one. */
const lengthPlusOne = (graph: OnnxGraph, value: string, axis: number) => {
  const length = apply(graph, 'Gather', graph.node('Shape', [value]), [index(axis)]);
  return asNumber(graph, apply(graph, 'Add', length, [index(1)]));
};

function decodeV1(cached: boolean): Uint8Array {
  const graph = new OnnxGraph();
  const token = graph.input('args_0', 'i32', [1, 1]);
  const encoderOut = graph.input('args_1', 'f32', [1, 'T', DIM]);
  const length = graph.input('args_2', 'i32', [1]);
  const states = cached
    ? Array.from({ length: 4 * LAYERS }, (_, i) => graph.input(`args_${i + 3}`, 'f32', [1, 'P', HEADS, HEAD]))
    : [];
  const position = cached ? lengthPlusOne(graph, states[0]!, 1) : graph.constant(f32([1, 1], [1]));
  const seconds = alsoUsing(graph, alsoUsing(graph, loudSeconds(graph, encoderOut), token), length);
  apply(graph, 'Unsqueeze', nextWord(graph, seconds, position), [i64(0)], { outputs: ['reversible_embedding'] });
  graph.output('reversible_embedding', 'f32', [1, 1, WORDS.length]);
  const grown = graph.constant(f32([1, 1, HEADS, HEAD], new Float32Array(HEADS * HEAD)));
  for (let i = 0; i < 4 * LAYERS; i++) {
    const name = `functional_${i}`;
    graph.node('Concat', cached ? [states[i]!, grown] : [grown], { attributes: { axis: { int: 1 } }, outputs: [name] });
    graph.output(name, 'f32', [1, 'Q', HEADS, HEAD]);
  }
  return onnxModel(graph);
}

function encoderV2(): Uint8Array {
  const graph = new OnnxGraph();
  frames(graph, graph.input('input_values', 'f32', [1, 'samples']), 'last_hidden_state');
  return onnxModel(graph);
}

/** One graph for the first word and for those after it; the mask counts samples, and is thinned out to frames in here. */
function decoderV2(): Uint8Array {
  const graph = new OnnxGraph();
  const mask = graph.input('encoder_attention_mask', 'i64', [1, 'samples']);
  const token = graph.input('input_ids', 'i64', [1, 1]);
  const encoderOut = graph.input('encoder_hidden_states', 'f32', [1, 'T', DIM]);
  const states = Array.from({ length: LAYERS }, (_, layer) =>
    STATE.map((name) => graph.input(`past_key_values.${layer}.${name}`, 'f32', [1, HEADS, 'P', HEAD])),
  ).flat();
  const useCache = graph.input('use_cache_branch', 'bool', [1]);
  const thinned = apply(graph, 'Slice', mask, [i64(0), i64(2 ** 31), i64(1), i64(FRAME)]);
  const column = apply(graph, 'Unsqueeze', graph.node('Cast', [thinned], { attributes: { to: { int: 1 } } }), [i64(2)]);
  const attended = graph.node('Mul', [encoderOut, column]);
  const seconds = alsoUsing(graph, alsoUsing(graph, loudSeconds(graph, attended), token), useCache);
  const word = nextWord(graph, seconds, lengthPlusOne(graph, states[0]!, 2));
  apply(graph, 'Unsqueeze', word, [i64(0)], { outputs: ['logits'] });
  graph.output('logits', 'f32', [1, 1, WORDS.length]);
  const grown = graph.constant(f32([1, HEADS, 1, HEAD], new Float32Array(HEADS * HEAD)));
  const projected = apply(graph, 'MatMul', encoderOut, [
    f32([DIM, HEADS * HEAD], new Float32Array(DIM * HEADS * HEAD)),
  ]);
  const heads = apply(graph, 'Reshape', projected, [i64(1, -1, HEADS, HEAD)]);
  const crossed = graph.node('Transpose', [heads], { attributes: { perm: { ints: [0, 2, 1, 3] } } });
  states.forEach((state, i) => {
    const name = state.replace('past_key_values', 'present');
    if (STATE[i % 4]!.startsWith('encoder')) graph.node('Identity', [crossed], { outputs: [name] });
    else graph.node('Concat', [state, grown], { attributes: { axis: { int: 2 } }, outputs: [name] });
    graph.output(name, 'f32', [1, HEADS, 'Q', HEAD]);
  });
  return onnxModel(graph);
}
