import { OnnxGraph, onnxModel } from '../../server/onnx/graph.ts';
import { apply, f32, i64, matrix, mostly, reduced, tokensText, writeFiles } from './asr-tensors.ts';

const TOKENS = ['<unk>', '▁Loud', '▁quiet', ',', '<blk>'];
const [LOUD, QUIET, BLANK] = [1, 2, 4];
const DURATIONS = 5;
const DIM = 4;
const LAYERS = 2;

/**
 * A Parakeet-TDT transducer with the tensors and metadata of NeMo's exported ones. It writes Loud where a sound begins that is
 * louder than the mean of the utterance, and quiet where it ends.
 */
export function writeTinyParakeet(folder: string) {
  return writeFiles(folder, {
    encoder: ['encoder.onnx', encoder()],
    decoder: ['decoder.onnx', decoder()],
    joiner: ['joiner.onnx', joiner()],
    tokens: ['tokens.txt', tokensText(TOKENS)],
  });
}

function encoder(): Uint8Array {
  const graph = new OnnxGraph();
  const signal = graph.input('audio_signal', 'f32', ['N', 128, 'T']);
  const length = graph.input('length', 'i64', ['N']);
  const energy = reduced(graph, 'ReduceMean', signal, 1);
  const pooled = graph.node('AveragePool', [energy], {
    attributes: { kernel_shape: { ints: [8] }, strides: { ints: [8] }, ceil_mode: { int: 1 } },
  });
  apply(graph, 'Mul', pooled, [f32([1, DIM, 1], [1, 0, 0, 0])], { outputs: ['outputs'] });
  graph.output('outputs', 'f32', ['N', DIM, 'T8']);
  apply(graph, 'Div', apply(graph, 'Add', length, [i64(7)]), [i64(8)], { outputs: ['encoded_lengths'] });
  graph.output('encoded_lengths', 'i64', ['N']);
  return onnxModel(graph, {
    metadata: {
      vocab_size: TOKENS.length - 1,
      normalize_type: 'per_feature',
      pred_rnn_layers: LAYERS,
      pred_hidden: DIM,
      subsampling_factor: 8,
      model_type: 'EncDecRNNTBPEModel',
      version: 2,
      url: 'https://huggingface.co/nvidia/parakeet-tdt-0.6b-v2',
      feat_dim: 128,
    },
  });
}

/** Whether the last token was the loud one; kept in the state too, as an LSTM would. */
function decoder(): Uint8Array {
  const graph = new OnnxGraph();
  const targets = graph.input('targets', 'i32', ['N', 1]);
  const length = graph.input('target_length', 'i32', ['N']);
  const table = graph.constant(f32([TOKENS.length], mostly(TOKENS.length, 0, { [LOUD]: 1 })));
  const kind = apply(graph, 'Unsqueeze', graph.node('Gather', [table, targets]), [i64(2)]);
  apply(graph, 'Mul', kind, [f32([1, DIM, 1], [0, 1, 0, 0])], { outputs: ['outputs'] });
  graph.output('outputs', 'f32', ['N', DIM, 1]);
  graph.node('Identity', [length], { outputs: ['prednet_lengths'] });
  graph.output('prednet_lengths', 'i32', ['N']);
  for (const [state, next] of [
    ['states.1', 'states'],
    ['onnx::Slice_3', '162'],
  ] as const) {
    graph.input(state, 'f32', [LAYERS, 'N', DIM]);
    graph.node('Add', [state, kind], { outputs: [next] });
    graph.output(next, 'f32', [LAYERS, 'N', DIM]);
  }
  return onnxModel(graph);
}

function joiner(): Uint8Array {
  const graph = new OnnxGraph();
  const encoderOut = graph.input('encoder_outputs', 'f32', ['N', DIM, 1]);
  const decoderOut = graph.input('decoder_outputs', 'f32', ['N', DIM, 1]);
  const both = graph.node('Add', [encoderOut, decoderOut]);
  const row = graph.node('Transpose', [both], { attributes: { perm: { ints: [0, 2, 1] } } });
  const n = TOKENS.length + DURATIONS;
  const weights = matrix(
    mostly(n, 0, { [LOUD]: 10, [QUIET]: -10 }),
    mostly(n, 0, { [LOUD]: -100, [QUIET]: 100 }),
    mostly(n, 0, {}),
    mostly(n, 0, {}),
  );
  // Each token lasts one frame: the second of the five durations 0 to 4.
  const bias = mostly(n, -50, { [BLANK]: 0, [LOUD]: -1, [QUIET]: -101, [TOKENS.length + 1]: 0 });
  const logits = apply(graph, 'Add', apply(graph, 'MatMul', row, [weights]), [f32([n], bias)]);
  apply(graph, 'Unsqueeze', logits, [i64(1)], { outputs: ['outputs'] });
  graph.output('outputs', 'f32', ['N', 1, 1, n]);
  return onnxModel(graph);
}
