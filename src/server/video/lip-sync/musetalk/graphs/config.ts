import { z } from 'zod';
import { VideoError } from '../../../contracts.ts';

/** How a published UNet is put together: what its JSON file says. */
export type UnetConfig = {
  readonly inChannels: number;
  readonly outChannels: number;
  /** Of each level, from the finest to the coarsest. */
  readonly channels: readonly number[];
  readonly layers: readonly number[];
  readonly heads: readonly number[];
  /** Whether a level attends to speech; the upper way has its levels from the coarsest to the finest. */
  readonly downAttends: readonly boolean[];
  readonly upAttends: readonly boolean[];
  /** Numbers of a token of speech. */
  readonly width: number;
  readonly groups: number;
  readonly epsilon: number;
  readonly cosinesFirst: boolean;
  readonly linearProjection: boolean;
};

/** How a published autoencoder is put together: what its JSON file says. */
export type VaeConfig = {
  readonly latentChannels: number;
  /** Of each level, from the finest to the coarsest. */
  readonly channels: readonly number[];
  readonly layers: number;
  readonly groups: number;
  /** Latents are multiplied by this for the UNet. */
  readonly scaling: number;
};

const count = z.int().positive();
const levels = z.array(count).min(1);
const perLevel = z.union([count, levels]);
/** What must be as it is built here, where it is given at all. */
const only = <T extends string | number | boolean>(value: T) => z.literal(value).nullish();

const unetShape = z.object({
  in_channels: count,
  out_channels: count,
  block_out_channels: levels,
  layers_per_block: perLevel.default(2),
  down_block_types: z.array(z.enum(['CrossAttnDownBlock2D', 'DownBlock2D'])),
  up_block_types: z.array(z.enum(['CrossAttnUpBlock2D', 'UpBlock2D'])),
  cross_attention_dim: count,
  // By an old mistake that files still have, this is the number of heads, unless that is given apart.
  attention_head_dim: perLevel.default(8),
  num_attention_heads: perLevel.nullish(),
  norm_num_groups: count.default(32),
  norm_eps: z.number().positive().default(1e-5),
  flip_sin_to_cos: z.boolean().default(true),
  use_linear_projection: z.boolean().default(false),
  mid_block_type: only('UNetMidBlock2DCrossAttn'),
  act_fn: only('silu'),
  time_embedding_type: only('positional'),
  resnet_time_scale_shift: only('default'),
  attention_type: only('default'),
  center_input_sample: only(false),
  only_cross_attention: only(false),
  dual_cross_attention: only(false),
  resnet_skip_time_act: only(false),
  class_embeddings_concat: only(false),
  downsample_padding: only(1),
  mid_block_scale_factor: only(1),
  resnet_out_scale_factor: only(1),
  transformer_layers_per_block: only(1),
  conv_in_kernel: only(3),
  conv_out_kernel: only(3),
  time_embedding_dim: z.null().optional(),
  time_embedding_act_fn: z.null().optional(),
  timestep_post_act: z.null().optional(),
  time_cond_proj_dim: z.null().optional(),
  class_embed_type: z.null().optional(),
  num_class_embeds: z.null().optional(),
  addition_embed_type: z.null().optional(),
  encoder_hid_dim_type: z.null().optional(),
  encoder_hid_dim: z.null().optional(),
  cross_attention_norm: z.null().optional(),
});

const vaeShape = z.object({
  in_channels: only(3),
  out_channels: only(3),
  latent_channels: count.default(4),
  block_out_channels: levels,
  layers_per_block: count.default(1),
  norm_num_groups: count.default(32),
  scaling_factor: z.number().positive().default(0.18215),
  down_block_types: z.array(z.literal('DownEncoderBlock2D')),
  up_block_types: z.array(z.literal('UpDecoderBlock2D')),
  act_fn: only('silu'),
  use_quant_conv: only(true),
  use_post_quant_conv: only(true),
  mid_block_add_attention: only(true),
  shift_factor: z.null().optional(),
  latents_mean: z.null().optional(),
  latents_std: z.null().optional(),
});

/** Reads MuseTalk's `musetalk.json`; throws a `VideoError` for what cannot be built. */
export function readUnetConfig(json: string): UnetConfig {
  const what = "MuseTalk's UNet (musetalk.json)";
  const file = read(json, unetShape, what);
  const channels = file.block_out_channels;
  const each = (values: number | readonly number[]) => levelled(values, channels.length, what);
  const config = {
    inChannels: file.in_channels,
    outChannels: file.out_channels,
    channels,
    layers: each(file.layers_per_block),
    heads: each(file.num_attention_heads ?? file.attention_head_dim),
    downAttends: levelled(file.down_block_types, channels.length, what).map((type) => type === 'CrossAttnDownBlock2D'),
    upAttends: levelled(file.up_block_types, channels.length, what).map((type) => type === 'CrossAttnUpBlock2D'),
    width: file.cross_attention_dim,
    groups: file.norm_num_groups,
    epsilon: file.norm_eps,
    cosinesFirst: file.flip_sin_to_cos,
    linearProjection: file.use_linear_projection,
  };
  const uneven = channels.some((all, level) => all % config.groups !== 0 || all % config.heads[level]! !== 0);
  if (uneven) throw cannotBuild(what, 'channels do not divide into its groups and heads');
  return config;
}

/** Reads the `config.json` of the autoencoder; throws a `VideoError` for what cannot be built. */
export function readVaeConfig(json: string): VaeConfig {
  const what = "MuseTalk's autoencoder (config.json of sd-vae-ft-mse)";
  const file = read(json, vaeShape, what);
  const channels = file.block_out_channels;
  levelled(file.down_block_types, channels.length, what);
  levelled(file.up_block_types, channels.length, what);
  if (channels.some((all) => all % file.norm_num_groups !== 0)) {
    throw cannotBuild(what, 'channels do not divide into its groups');
  }
  return {
    latentChannels: file.latent_channels,
    channels,
    layers: file.layers_per_block,
    groups: file.norm_num_groups,
    scaling: file.scaling_factor,
  };
}

function read<T>(json: string, schema: z.ZodType<T>, what: string): T {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw cannotBuild(what, 'is not JSON');
  }
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  const { path, message } = read.error.issues[0]!;
  throw cannotBuild(what, `${path.length === 0 ? 'as a whole' : path.join('.')} does not fit (${message})`);
}

function levelled<T>(values: T | readonly T[], levels: number, what: string): readonly T[] {
  const list: readonly T[] = Array.isArray(values) ? values : new Array<T>(levels).fill(values as T);
  if (list.length !== levels) throw cannotBuild(what, `lists differ in length (${list.length} and ${levels})`);
  return list;
}

function cannotBuild(what: string, why: string): VideoError {
  return new VideoError(
    `The description of ${what} cannot be built from: ${why}; voice-chat models pull musetalk fetches the one that can.`,
  );
}
