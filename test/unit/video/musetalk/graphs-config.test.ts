import { describe, expect, it } from 'vitest';
import { VideoError } from '../../../../src/server/video/contracts.ts';
import { readUnetConfig, readVaeConfig } from '../../../../src/server/video/lip-sync/musetalk/graphs/config.ts';

/** As MuseTalk 1.5 describes its UNet. */
const UNET = {
  _class_name: 'UNet2DConditionModel',
  act_fn: 'silu',
  attention_head_dim: 8,
  block_out_channels: [320, 640, 1280, 1280],
  center_input_sample: false,
  cross_attention_dim: 384,
  down_block_types: ['CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D'],
  downsample_padding: 1,
  flip_sin_to_cos: true,
  freq_shift: 0,
  in_channels: 8,
  layers_per_block: 2,
  mid_block_scale_factor: 1,
  norm_eps: 1e-5,
  norm_num_groups: 32,
  out_channels: 4,
  sample_size: 64,
  up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D'],
};
const VAE = {
  act_fn: 'silu',
  block_out_channels: [128, 256, 512, 512],
  down_block_types: Array(4).fill('DownEncoderBlock2D'),
  in_channels: 3,
  latent_channels: 4,
  layers_per_block: 2,
  norm_num_groups: 32,
  out_channels: 3,
  up_block_types: Array(4).fill('UpDecoderBlock2D'),
};

describe('the description of a network', () => {
  it('says how the UNet is put together', () => {
    expect(readUnetConfig(JSON.stringify(UNET))).toEqual({
      inChannels: 8,
      outChannels: 4,
      channels: [320, 640, 1280, 1280],
      layers: [2, 2, 2, 2],
      heads: [8, 8, 8, 8],
      downAttends: [true, true, true, false],
      upAttends: [false, true, true, true],
      width: 384,
      groups: 32,
      epsilon: 1e-5,
      cosinesFirst: true,
      linearProjection: false,
    });
    const apart = { ...UNET, num_attention_heads: [5, 10, 20, 20] };
    expect(readUnetConfig(JSON.stringify(apart)).heads).toEqual([5, 10, 20, 20]);
  });

  it('says how the autoencoder is put together, with the usual scaling factor unless it names one', () => {
    const expected = { latentChannels: 4, channels: [128, 256, 512, 512], layers: 2, groups: 32, scaling: 0.18215 };
    expect(readVaeConfig(JSON.stringify(VAE))).toEqual(expected);
    expect(readVaeConfig(JSON.stringify({ ...VAE, scaling_factor: 0.13 })).scaling).toBe(0.13);
  });

  it.each<[string, object, string]>([
    ['another kind of block', { down_block_types: Array(4).fill('AttnDownBlock2D') }, 'down_block_types.0'],
    ['lists that differ in length', { up_block_types: ['UpBlock2D'] }, 'lists differ in length (1 and 4)'],
    ['fewer layer counts than levels', { layers_per_block: [2, 2] }, 'lists differ in length (2 and 4)'],
    ['groups that do not divide the channels', { norm_num_groups: 30 }, 'do not divide'],
    ['a second condition', { addition_embed_type: 'text_time' }, 'addition_embed_type'],
    ['deeper transformers', { transformer_layers_per_block: [1, 2, 10] }, 'transformer_layers_per_block'],
    ['no width of speech', { cross_attention_dim: undefined }, 'cross_attention_dim'],
  ])('that has %s is refused with a fix', (_, change, why) => {
    const read = () => readUnetConfig(JSON.stringify({ ...UNET, ...change }));
    expect(read).toThrow(VideoError);
    expect(read).toThrow(why);
    expect(read).toThrow('voice-chat models pull musetalk fetches');
  });

  it('that is no JSON, or a list, or of another autoencoder, is refused', () => {
    expect(() => readUnetConfig('<html>')).toThrow('is not JSON');
    expect(() => readVaeConfig('[]')).toThrow('as a whole does not fit');
    expect(() => readVaeConfig(JSON.stringify({ ...VAE, use_quant_conv: false }))).toThrow('use_quant_conv');
    expect(() => readVaeConfig(JSON.stringify({ ...VAE, norm_num_groups: 24 }))).toThrow('do not divide');
  });
});
