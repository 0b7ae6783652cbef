import { OnnxGraph, onnxModel } from '../../server/onnx/graph.ts';
import { bytesField, floatField, joined, numberField, textField } from '../../server/onnx/protobuf.ts';
import { apply, f32, i64, matrix, mostly, reduced, tokensText, writeFiles } from './asr-tensors.ts';

const LETTERS = [...'▁ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
const TOKENS = ['<blk>', '<sos/eos>', '<unk>', '▁LOUD', '▁QUIET', '▁PHO', 'EBE', ...LETTERS];
const [LOUD, QUIET, PHO, EBE] = [3, 4, 5, 6];
const NEVER = -50;
/** The mean log energy of the filter bank above which a sound is loud. */
const LIMIT = -8;
const WINDOW = 45;
const MOVE = 32;
const ENCODERS = [
  { dim: 16, left: 16, keys: 16, values: 8 },
  { dim: 16, left: 8, keys: 16, values: 8 },
];

/**
 * A streaming zipformer2 transducer with the tensors, states and metadata of icefall's exported ones. It writes LOUD where a sound
 * begins and QUIET where it ends; nearly as likely as LOUD is the hot word PHOEBE.
 */
export function writeTinyZipformer(folder: string) {
  return writeFiles(folder, {
    encoder: ['encoder.onnx', encoder()],
    decoder: ['decoder.onnx', decoder()],
    joiner: ['joiner.onnx', joiner()],
    tokens: ['tokens.txt', tokensText(TOKENS)],
    bpe: ['bpe.model', sentencePieceModel()],
  });
}

function encoder(): Uint8Array {
  const graph = new OnnxGraph();
  const x = graph.input('x', 'f32', ['N', WINDOW, 80]);
  const current = apply(graph, 'Slice', x, [i64(6), i64(6 + MOVE), i64(1)]);
  const frames = apply(graph, 'Reshape', current, [i64(0, MOVE / 4, 4 * 80)]);
  const energy = reduced(graph, 'ReduceMean', frames, 2);
  apply(graph, 'Mul', energy, [f32([1, 1, 2], [1, 0])], { outputs: ['encoder_out'] });
  graph.output('encoder_out', 'f32', ['N', MOVE / 4, 2]);
  const kept = (name: string, dims: readonly (number | string)[]) => {
    graph.input(name, 'f32', dims);
    graph.node('Identity', [name], { outputs: [`new_${name}`] });
    graph.output(`new_${name}`, 'f32', dims);
  };
  ENCODERS.forEach(({ dim, left, keys, values }, i) => {
    kept(`cached_key_${i}`, [left, 'N', keys]);
    kept(`cached_nonlin_attn_${i}`, [1, 'N', left, (3 * dim) / 4]);
    kept(`cached_val1_${i}`, [left, 'N', values]);
    kept(`cached_val2_${i}`, [left, 'N', values]);
    kept(`cached_conv1_${i}`, ['N', dim, 7]);
    kept(`cached_conv2_${i}`, ['N', dim, 7]);
  });
  kept('embed_states', ['N', 128, 3, 19]);
  const processed = graph.input('processed_lens', 'i64', ['N']);
  apply(graph, 'Add', processed, [i64(MOVE / 2)], { outputs: ['new_processed_lens'] });
  graph.output('new_processed_lens', 'i64', ['N']);
  return onnxModel(graph, {
    metadata: {
      model_type: 'zipformer2',
      version: 1,
      encoder_dims: '16,16',
      query_head_dims: '8,8',
      value_head_dims: '4,4',
      num_heads: '2,2',
      num_encoder_layers: '1,1',
      cnn_module_kernels: '15,15',
      left_context_len: '16,8',
      T: WINDOW,
      decode_chunk_len: MOVE,
    },
  });
}

/** Whether the last token was a loud one. */
function decoder(): Uint8Array {
  const graph = new OnnxGraph();
  const y = graph.input('y', 'i64', ['N', 2]);
  const last = apply(graph, 'Gather', y, [i64(1)], { attributes: { axis: { int: 1 } } });
  const table = graph.constant(f32([TOKENS.length], mostly(TOKENS.length, 0, { [LOUD]: 1, [PHO]: 2, [EBE]: 1 })));
  const kind = graph.node('Gather', [table, last]);
  apply(graph, 'Mul', kind, [f32([1, 2], [0, 1])], { outputs: ['decoder_out'] });
  graph.output('decoder_out', 'f32', ['N', 2]);
  return onnxModel(graph, { metadata: { context_size: 2, vocab_size: TOKENS.length } });
}

/** Weights of energy and of the kind of the last token: 0 after quiet, 1 after a loud word, 2 within PHOEBE. */
function joiner(): Uint8Array {
  const graph = new OnnxGraph();
  const encoderOut = graph.input('encoder_out', 'f32', ['N', 2]);
  const decoderOut = graph.input('decoder_out', 'f32', ['N', 2]);
  const both = graph.node('Add', [encoderOut, decoderOut]);
  const n = TOKENS.length;
  const weights = matrix(
    mostly(n, 0, { [LOUD]: 1, [QUIET]: -1, [PHO]: 1 }),
    mostly(n, 0, { [LOUD]: -100, [PHO]: -100, [QUIET]: 100, [EBE]: 1000 }),
  );
  const bias = mostly(n, NEVER, { 0: 0, [LOUD]: -LIMIT, [PHO]: -LIMIT - 0.5, [QUIET]: LIMIT - 100, [EBE]: -1500 });
  const logit = apply(graph, 'MatMul', both, [weights]);
  apply(graph, 'Add', logit, [f32([n], bias)], { outputs: ['logit'] });
  graph.output('logit', 'f32', ['N', n]);
  return onnxModel(graph, { metadata: { joiner_dim: 2 } });
}

/** The pieces as a SentencePiece model: ModelProto.pieces = 1 with piece = 1, score = 2, type = 3 (2 unknown, 3 control). */
function sentencePieceModel(): Uint8Array {
  const type = (token: string) => (token === '<unk>' ? 2 : token.startsWith('<') ? 3 : 1);
  const pieces = TOKENS.map((token, i) =>
    bytesField(1, joined(textField(1, token), floatField(2, -i), numberField(3, type(token)))),
  );
  return joined(...pieces);
}
