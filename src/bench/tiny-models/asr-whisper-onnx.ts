import { OnnxGraph, onnxModel } from '../../server/onnx/graph.ts';
import { FOREIGN, nextWord, WORDS } from './asr-next-word.ts';
import {
  alsoUsing,
  apply,
  asNumber,
  base64Tokens,
  countAbove,
  f32,
  i64,
  index,
  matrix,
  mostly,
  reduced,
  scalar,
  writeFiles,
} from './asr-tensors.ts';

const [END, START, EN, DE, TRANSLATE, TRANSCRIBE, NO_SPEECH, NO_TIMESTAMPS] = [2, 1, 7, 8, 9, 10, 11, 12];
const SPECIAL = 7;
const HELLO = 3;
const HALLO = 5;
const LAYERS = 2;
const DIM = 4;
const CONTEXT = 64;
/** The normalised log-mel above which a frame is loud; the padding is 0. */
const LIMIT = 0.3;

/** A Whisper with the tensors and metadata of sherpa-onnx's exported ones; it writes `hello there there` (in German, `hallo`). */
export function writeTinyWhisperOnnx(folder: string) {
  return writeFiles(folder, {
    encoder: ['encoder.onnx', encoder()],
    decoder: ['decoder.onnx', decoder()],
    tokens: ['tokens.txt', base64Tokens(WORDS)],
  });
}

function encoder(): Uint8Array {
  const graph = new OnnxGraph();
  const mel = graph.input('mel', 'f32', ['N', 80, 'T']);
  const loudest = reduced(graph, 'ReduceMax', mel, 1);
  const pooled = graph.node('AveragePool', [loudest], {
    attributes: { kernel_shape: { ints: [2] }, strides: { ints: [2] }, ceil_mode: { int: 1 } },
  });
  const columns = graph.node('Transpose', [pooled], { attributes: { perm: { ints: [0, 2, 1] } } });
  const layer = apply(graph, 'Unsqueeze', apply(graph, 'Mul', columns, [f32([1, 1, DIM], [1, 0, 0, 0])]), [i64(0)]);
  for (const name of ['n_layer_cross_k', 'n_layer_cross_v']) {
    graph.node('Concat', [layer, layer], { attributes: { axis: { int: 0 } }, outputs: [name] });
    graph.output(name, 'f32', [LAYERS, 'N', 'T2', DIM]);
  }
  return onnxModel(graph, {
    metadata: {
      model_type: 'whisper-tiny',
      version: 1,
      n_mels: 80,
      n_text_layer: LAYERS,
      n_text_ctx: CONTEXT,
      n_text_state: DIM,
      n_vocab: WORDS.length + SPECIAL,
      sot: START,
      eot: END,
      blank_id: 0,
      translate: TRANSLATE,
      transcribe: TRANSCRIBE,
      is_multilingual: 1,
      no_speech: NO_SPEECH,
      no_timestamps: NO_TIMESTAMPS,
      sot_sequence: [START, EN, TRANSCRIBE].join(','),
      all_language_tokens: [EN, DE].join(','),
      all_language_codes: 'en,de',
    },
  });
}

function decoder(): Uint8Array {
  const graph = new OnnxGraph();
  const tokens = graph.input('tokens', 'i64', ['N', 'n']);
  const selfK = graph.input('in_n_layer_self_k_cache', 'f32', [LAYERS, 'N', CONTEXT, DIM]);
  const selfV = graph.input('in_n_layer_self_v_cache', 'f32', [LAYERS, 'N', CONTEXT, DIM]);
  const crossK = graph.input('n_layer_cross_k', 'f32', [LAYERS, 'N', 'T', DIM]);
  const crossV = graph.input('n_layer_cross_v', 'f32', [LAYERS, 'N', 'T', DIM]);
  const offset = graph.input('offset', 'i64', [1]);
  // Of two layers, and of two frames for each hundredth of a second.
  const seconds = alsoUsing(graph, countAbove(graph, crossK, LIMIT, 1 / (50 * LAYERS)), crossV);
  // Four tokens come first, so the second word is asked for at offset 4.
  const position = apply(graph, 'Max', apply(graph, 'Sub', asNumber(graph, offset), [scalar(2)]), [scalar(1)]);
  const words = apply(graph, 'Pad', nextWord(graph, seconds, position), [i64(0, 0, 0, SPECIAL), scalar(-5000)]);
  const n = WORDS.length + SPECIAL;
  const german = apply(graph, 'Equal', tokens, [index(DE)]);
  const isGerman = graph.node('ReduceMax', [graph.node('Cast', [german], { attributes: { to: { int: 1 } } })], {
    attributes: { axes: { ints: [1] }, keepdims: { int: 1 } },
  });
  const swap = matrix(mostly(n, 0, { [HELLO]: -FOREIGN, [HALLO]: FOREIGN }));
  const row = apply(graph, 'Unsqueeze', graph.node('Add', [words, apply(graph, 'MatMul', isGerman, [swap])]), [i64(1)]);
  const count = apply(graph, 'Gather', graph.node('Shape', [tokens]), [i64(1)]);
  const shape = graph.node('Concat', [graph.constant(i64(1)), count, graph.constant(i64(n))], {
    attributes: { axis: { int: 0 } },
  });
  graph.node('Expand', [row, shape], { outputs: ['logits'] });
  graph.output('logits', 'f32', ['N', 'n', n]);
  for (const [input, name] of [
    [selfK, 'out_n_layer_self_k_cache'],
    [selfV, 'out_n_layer_self_v_cache'],
  ] as const) {
    graph.node('Identity', [input], { outputs: [name] });
    graph.output(name, 'f32', [LAYERS, 'N', CONTEXT, DIM]);
  }
  return onnxModel(graph);
}
