import type { UnetConfig } from './config.ts';
import { type Maps, type Net, part, refuseUnused } from './net.ts';
import {
  add,
  attention,
  concat,
  conv,
  fromTokens,
  gelu,
  groupNorm,
  layerNorm,
  linear,
  silu,
  toTokens,
  upsample,
} from './net-layers.ts';
import { type TimedBias, timedBias } from './unet-time.ts';

/** The norms before attention have an epsilon of their own. */
const ATTENTION_EPSILON = 1e-6;

type Unet = { readonly config: UnetConfig; readonly bias: TimedBias; readonly states: string };

/**
 * Adds diffusers' conditional UNet at time 0, as MuseTalk sets it up: maps of `inChannels` channels and states
 * [batch, n, width] → maps of `outChannels`. Throws a `VideoError` where the file's tensors are not those of `config`.
 */
export function addUnet(net: Net, config: UnetConfig, latents: Maps, states: string): Maps {
  const unet: Unet = { config, bias: timedBias(net, config), states };
  const { channels, layers, heads, downAttends, upAttends } = config;
  const last = channels.length - 1;

  let maps = conv(net, 'conv_in', latents, channels[0]!);
  const kept = [maps];
  for (const [level, to] of channels.entries()) {
    const block = part(net, `down_blocks.${level}`);
    for (let layer = 0; layer < layers[level]!; layer++) {
      maps = residual(unet, part(block, `resnets.${layer}`), maps, to);
      if (downAttends[level]) maps = transformer(unet, part(block, `attentions.${layer}`), maps, heads[level]!);
      kept.push(maps);
    }
    if (level === last) continue;
    maps = conv(block, 'downsamplers.0.conv', maps, to, { stride: 2 });
    kept.push(maps);
  }

  const middle = part(net, 'mid_block');
  maps = residual(unet, part(middle, 'resnets.0'), maps, channels[last]!);
  maps = transformer(unet, part(middle, 'attentions.0'), maps, heads[last]!);
  maps = residual(unet, part(middle, 'resnets.1'), maps, channels[last]!);

  for (let step = 0; step <= last; step++) {
    const level = last - step;
    const block = part(net, `up_blocks.${step}`);
    // One layer more than on the way down: what was kept has also what went into the level.
    for (let layer = 0; layer <= layers[level]!; layer++) {
      maps = residual(unet, part(block, `resnets.${layer}`), concat(net, maps, kept.pop()!), channels[level]!);
      if (upAttends[step]) maps = transformer(unet, part(block, `attentions.${layer}`), maps, heads[level]!);
    }
    if (level > 0) maps = conv(block, 'upsamplers.0.conv', upsample(net, maps), channels[level]!);
  }

  const normal = groupNorm(net, 'conv_norm_out', maps, config.groups, config.epsilon);
  const painted = conv(net, 'conv_out', silu(net, normal), config.outChannels);
  refuseUnused(net);
  return painted;
}

function residual({ config, bias }: Unet, net: Net, maps: Maps, to: number): Maps {
  const first = silu(net, groupNorm(net, 'norm1', maps, config.groups, config.epsilon));
  const between = conv(net, 'conv1', first, to, { bias: bias(net, to) });
  const second = silu(net, groupNorm(net, 'norm2', between, config.groups, config.epsilon));
  const around = maps.channels === to ? maps : conv(net, 'conv_shortcut', maps, to, { kernel: 1 });
  return add(net, around, conv(net, 'conv2', second, to));
}

function transformer({ config, states }: Unet, net: Net, maps: Maps, heads: number): Maps {
  const { channels } = maps;
  const projection = { asConv: !config.linearProjection };
  const normal = toTokens(net, groupNorm(net, 'norm', maps, config.groups, ATTENTION_EPSILON));
  const block = part(net, 'transformer_blocks.0');
  const sum = (one: string, other: string) => net.graph.node('Add', [one, other]);

  let tokens = linear(net, 'proj_in', normal, channels, channels, projection);
  for (const [name, norm] of [
    ['attn1', 'norm1'],
    ['attn2', 'norm2'],
  ] as const) {
    const own = part(block, name);
    const asking = layerNorm(block, norm, tokens, channels);
    const [asked, width] = name === 'attn1' ? [asking, channels] : [states, config.width];
    const queries = linear(own, 'to_q', asking, channels, channels, { bias: false });
    const keys = linear(own, 'to_k', asked, width, channels, { bias: false });
    const values = linear(own, 'to_v', asked, width, channels, { bias: false });
    const found = attention(net, queries, keys, values, channels, heads);
    tokens = sum(tokens, linear(own, 'to_out.0', found, channels, channels));
  }
  tokens = sum(tokens, feedForward(part(block, 'ff.net'), layerNorm(block, 'norm3', tokens, channels), channels));
  return add(net, maps, fromTokens(net, linear(net, 'proj_out', tokens, channels, channels, projection), maps));
}

/** One half of the wide layer is weighed by the other half. */
function feedForward(net: Net, tokens: string, channels: number): string {
  const { graph } = net;
  const wide = linear(net, '0.proj', tokens, channels, 8 * channels);
  const halves = [0, 1].map((half) => `${wide}_half_${half}`);
  graph.node('Split', [wide], { outputs: halves, attributes: { axis: { int: -1 } } });
  const weighed = graph.node('Mul', [halves[0]!, gelu(net, halves[1]!)]);
  return linear(net, '2', weighed, 4 * channels, channels);
}
