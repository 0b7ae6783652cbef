import { OnnxGraph, TYPE_NUMBERS } from '../../../../onnx/graph.ts';
import type { Weights } from '../../../../weights/weights.ts';
import { FACE_SIZE, LATENT_CHANNELS, LATENT_SIZE } from '../networks.ts';
import type { VaeConfig } from './config.ts';
import { hasTensor, type Maps, type Net, openNet, part, refuseUnused } from './net.ts';
import { add, attention, conv, fromTokens, groupNorm, linear, silu, toTokens, upsample } from './net-layers.ts';

const EPSILON = 1e-6;
/** What the projections of attention are called, now and in files as old as the published one. */
const NAMES = ['to_q', 'to_k', 'to_v', 'to_out.0'] as const;
const OLD_NAMES = ['query', 'key', 'value', 'proj_attn'] as const;

/**
 * The graph that makes latents of a face: input `face` [1, 256, 256, 3] u8 RGB, output `latents` [1, 8, 32, 32] f32, times the
 * scaling factor, first of the face whose lower half is black, then of the whole face. Throws a `VideoError` where the
 * autoencoder's tensors are not those of `config`.
 */
export function faceEncoderGraph(vae: Weights, config: VaeConfig): OnnxGraph {
  const graph = new OnnxGraph();
  const net = openNet(graph, vae, { compute: 'f32', storage: 'f32' }, 'vae');
  const face = graph.input('face', 'u8', [1, FACE_SIZE, FACE_SIZE, 3]);
  const f32 = (dims: readonly number[], data: ArrayLike<number>) => graph.constant({ type: 'f32', dims, data });

  const bytes = graph.node('Cast', [face], { attributes: { to: { int: TYPE_NUMBERS.f32 } } });
  const whole = graph.node('Transpose', [bytes], { attributes: { perm: { ints: [0, 3, 1, 2] } } });
  const upper = f32([FACE_SIZE, 1], new Float32Array(FACE_SIZE).fill(1, 0, FACE_SIZE / 2));
  const both = graph.node('Concat', [graph.node('Mul', [whole, upper]), whole], { attributes: { axis: { int: 0 } } });
  const normal = graph.node('Sub', [graph.node('Div', [both, f32([], [127.5])]), f32([], [1])]);

  const latents = addEncoder(net, config, { value: normal, channels: 3, size: FACE_SIZE });
  const scaled = graph.node('Mul', [latents.value, f32([], [config.scaling])]);
  const shape = graph.constant({ type: 'i64', dims: [4], data: [1, LATENT_CHANNELS, LATENT_SIZE, LATENT_SIZE] });
  graph.node('Reshape', [scaled, shape], { outputs: ['latents'] });
  graph.output('latents', 'f32', [1, LATENT_CHANNELS, LATENT_SIZE, LATENT_SIZE]);
  return graph;
}

/** Adds the encoder of diffusers' autoencoder: pictures from -1 to 1 → the means of their latents, not scaled. */
function addEncoder(net: Net, config: VaeConfig, pictures: Maps): Maps {
  const { channels, layers, groups, latentChannels } = config;
  const last = channels.length - 1;
  const encoder = part(net, 'encoder');
  let maps = conv(encoder, 'conv_in', pictures, channels[0]!);
  for (const [level, to] of channels.entries()) {
    const block = part(encoder, `down_blocks.${level}`);
    for (let layer = 0; layer < layers; layer++) maps = residual(part(block, `resnets.${layer}`), maps, to, groups);
    if (level < last) maps = conv(block, 'downsamplers.0.conv', maps, to, { stride: 2, pads: [0, 1] });
  }
  maps = middle(part(encoder, 'mid_block'), maps, groups);
  const normal = silu(net, groupNorm(encoder, 'conv_norm_out', maps, groups, EPSILON));
  const moments = conv(encoder, 'conv_out', normal, 2 * latentChannels);
  const { value, size } = conv(net, 'quant_conv', moments, 2 * latentChannels, { kernel: 1 });
  refuseUnused(net, ['decoder', 'post_quant_conv']);
  // The other half are the logarithms of variances.
  const means = net.graph.node('Slice', [value, ...[0, latentChannels, 1].map((one) => whole(net, one))]);
  return { value: means, channels: latentChannels, size };
}

/** Adds the decoder of diffusers' autoencoder: latents that are not scaled → pictures from -1 to 1, about. */
export function addDecoder(net: Net, config: VaeConfig, latents: Maps): Maps {
  const { channels, layers, groups, latentChannels } = config;
  const last = channels.length - 1;
  const decoder = part(net, 'decoder');
  let maps = conv(
    decoder,
    'conv_in',
    conv(net, 'post_quant_conv', latents, latentChannels, { kernel: 1 }),
    channels[last]!,
  );
  maps = middle(part(decoder, 'mid_block'), maps, groups);
  for (let step = 0; step <= last; step++) {
    const to = channels[last - step]!;
    const block = part(decoder, `up_blocks.${step}`);
    for (let layer = 0; layer <= layers; layer++) maps = residual(part(block, `resnets.${layer}`), maps, to, groups);
    if (step < last) maps = conv(block, 'upsamplers.0.conv', upsample(net, maps), to);
  }
  const normal = silu(net, groupNorm(decoder, 'conv_norm_out', maps, groups, EPSILON));
  const pictures = conv(decoder, 'conv_out', normal, 3);
  refuseUnused(net, ['encoder', 'quant_conv']);
  return pictures;
}

function residual(net: Net, maps: Maps, to: number, groups: number): Maps {
  const between = conv(net, 'conv1', silu(net, groupNorm(net, 'norm1', maps, groups, EPSILON)), to);
  const after = conv(net, 'conv2', silu(net, groupNorm(net, 'norm2', between, groups, EPSILON)), to);
  return add(net, maps.channels === to ? maps : conv(net, 'conv_shortcut', maps, to, { kernel: 1 }), after);
}

function middle(net: Net, maps: Maps, groups: number): Maps {
  const before = residual(part(net, 'resnets.0'), maps, maps.channels, groups);
  return residual(part(net, 'resnets.1'), attend(part(net, 'attentions.0'), before, groups), maps.channels, groups);
}

function attend(net: Net, maps: Maps, groups: number): Maps {
  const { channels } = maps;
  const normal = toTokens(net, groupNorm(net, 'group_norm', maps, groups, EPSILON));
  const [query, key, value, out] = hasTensor(net, `${OLD_NAMES[0]}.weight`) ? OLD_NAMES : NAMES;
  const seen = (name: string, tokens: string) => linear(net, name, tokens, channels, channels);
  const found = attention(net, seen(query, normal), seen(key, normal), seen(value, normal), channels, 1);
  return add(net, maps, fromTokens(net, seen(out, found), maps));
}

const whole = ({ graph }: Net, value: number) => graph.constant({ type: 'i64', dims: [1], data: [value] });
