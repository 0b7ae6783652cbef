import { OnnxGraph } from '../../../../onnx/graph.ts';
import type { Weights } from '../../../../weights/weights.ts';
import { VideoError } from '../../../contracts.ts';
import { MEL_BANDS, MEL_COLUMNS, SEGMENT_SECONDS, STATES, TOKENS_PER_SECOND } from '../networks.ts';
import { largeWeight, type Net, openNet, part, smallWeight, tensor, transpose } from './net.ts';
import { attention, gelu, layerNorm, linear } from './net-layers.ts';

/** What of a whisper's `config.json` makes a difference to its encoder. */
export type WhisperConfig = {
  readonly width: number;
  readonly heads: number;
  /** Width of the inner layer of each feed-forward. */
  readonly inner: number;
};

const TOKENS = SEGMENT_SECONDS * TOKENS_PER_SECOND;
const LAYERS = STATES - 1;
const FIX = 'use that of openai/whisper-tiny';

/** Reads the text of a `config.json`; throws a `VideoError` for a whisper that MuseTalk cannot listen with. */
export function readWhisperConfig(json: string): WhisperConfig {
  let config: Readonly<Record<string, unknown>>;
  try {
    config = Object(JSON.parse(json));
  } catch (cause) {
    throw new VideoError(`The configuration of whisper is not JSON; ${FIX}.`, { cause });
  }
  const needed = {
    model_type: 'whisper',
    encoder_layers: LAYERS,
    num_mel_bins: MEL_BANDS,
    max_source_positions: TOKENS,
    activation_function: 'gelu',
  };
  for (const [key, value] of Object.entries(needed)) {
    if (config[key] === value) continue;
    const given = JSON.stringify(config[key]) ?? 'missing';
    throw new VideoError(`MuseTalk needs a whisper whose ${key} is ${value}, here it is ${given}; ${FIX}.`);
  }
  const { d_model: width, encoder_attention_heads: heads, encoder_ffn_dim: inner } = config;
  if (!isCount(width) || !isCount(heads) || !isCount(inner) || width % heads !== 0) {
    throw new VideoError(`The configuration of whisper has no d_model, heads and encoder_ffn_dim that fit; ${FIX}.`);
  }
  return { width, heads, inner };
}

/**
 * Whisper's encoder, in 32 bits: of `mel` [1, 80, 3000] it makes `states` [1, 1500, 5, width], what goes into each of the four
 * layers and, normalised, what comes out of the last. Throws a `VideoError` where the file has not the tensors of the config.
 */
export function speechGraph(whisper: Weights, config: WhisperConfig): OnnxGraph {
  const { width } = config;
  const graph = new OnnxGraph();
  const net = encoderOf(openNet(graph, whisper, { compute: 'f32', storage: 'f32' }, 'speech'));

  const mel = graph.input('mel', 'f32', [1, MEL_BANDS, MEL_COLUMNS]);
  const every10ms = gelu(net, conv(net, 'conv1', mel, MEL_BANDS, width, 1));
  const every20ms = gelu(net, conv(net, 'conv2', every10ms, width, width, 2));
  const places = largeWeight(net, 'embed_positions.weight', tensor(net, 'embed_positions.weight', [TOKENS, width]));
  let tokens = graph.node('Add', [transpose(net, every20ms, [0, 2, 1]), places]);
  const states: string[] = [];
  for (let i = 0; i < LAYERS; i++) {
    states.push(tokens);
    tokens = layer(part(net, `layers.${i}`), tokens, config);
  }
  states.push(layerNorm(net, 'layer_norm', tokens, width));

  const beside = graph.node('Concat', states, { attributes: { axis: { int: -1 } } });
  const dims = [1, TOKENS, STATES, width];
  graph.node('Reshape', [beside, graph.constant({ type: 'i64', dims: [4], data: dims })], { outputs: ['states'] });
  graph.output('states', 'f32', dims);
  return graph;
}

/** Each token hears the others, then thinks for itself. */
function layer(net: Net, tokens: string, { width, heads, inner }: WhisperConfig): string {
  const { graph } = net;
  const own = part(net, 'self_attn');
  const heard = layerNorm(net, 'self_attn_layer_norm', tokens, width);
  const queries = linear(own, 'q_proj', heard, width, width);
  const keys = linear(own, 'k_proj', heard, width, width, { bias: false });
  const values = linear(own, 'v_proj', heard, width, width);
  const told = linear(own, 'out_proj', attention(net, queries, keys, values, width, heads), width, width);
  const after = graph.node('Add', [tokens, told]);
  const wide = linear(net, 'fc1', layerNorm(net, 'final_layer_norm', after, width), width, inner);
  return graph.node('Add', [after, linear(net, 'fc2', gelu(net, wide), inner, width)]);
}

/** The convolution `name` over 3 columns of time. */
function conv(net: Net, name: string, value: string, from: number, to: number, stride: 1 | 2): string {
  const own = part(net, name);
  const weight = largeWeight(own, 'weight', tensor(own, 'weight', [to, from, 3]));
  const bias = smallWeight(own, 'bias', tensor(own, 'bias', [to]));
  const attributes = { kernel_shape: { ints: [3] }, strides: { ints: [stride] }, pads: { ints: [1, 1] } };
  return net.graph.node('Conv', [value, weight, bias], { attributes });
}

/** The encoder in its file, which holds it alone, or with the decoder, or with all that was there in training. */
function encoderOf(net: Net): Net {
  const names = ['encoder', 'model.encoder'];
  const name = names.find((one) => net.weights.tensors.has(`${one}.conv1.weight`));
  return name === undefined ? net : part(net, name);
}

const isCount = (value: unknown): value is number => Number.isInteger(value) && Number(value) > 0;
