import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sources } from '../server/video/lip-sync/musetalk/convert/converted.ts';
import { poseStandIn } from './musetalk-pose.ts';
import { parserTensors, type Shapes, unetTensors, vaeTensors, whisperTensors } from './musetalk-tensors.ts';
import { type TensorSource, writeSafetensors, writeTorchFile } from './weight-files.ts';

/**
 * Writes files of the sizes, names, shapes and formats of MuseTalk's published ones, 3.8 GB, with random numbers at a scale that
 * keeps everything in range, and a small stand-in for the landmark network.
 */
export async function writeFullSizeSources(folder: string): Promise<Sources> {
  await mkdir(folder, { recursive: true });
  const sources: Sources = {
    unet: join(folder, 'unet.pth'),
    unetConfig: join(folder, 'musetalk.json'),
    vae: join(folder, 'vae.safetensors'),
    vaeConfig: join(folder, 'vae.json'),
    whisper: join(folder, 'whisper.safetensors'),
    whisperConfig: join(folder, 'whisper.json'),
    parser: join(folder, 'parser.pth'),
    pose: join(folder, 'pose.onnx'),
  };
  await writeTorchFile(sources.unet, random(unetTensors()));
  await writeSafetensors(sources.vae, random(vaeTensors()));
  await writeSafetensors(sources.whisper, random(whisperTensors()));
  await writeTorchFile(sources.parser, random(parserTensors()), { legacy: true });
  await writeFile(sources.pose, poseStandIn());
  await writeFile(sources.unetConfig, FULL_UNET);
  await writeFile(sources.vaeConfig, FULL_VAE);
  await writeFile(sources.whisperConfig, FULL_WHISPER);
  return sources;
}

/** The published description of the UNet, as far as it matters. */
export const FULL_UNET = JSON.stringify({
  in_channels: 8,
  out_channels: 4,
  block_out_channels: [320, 640, 1280, 1280],
  layers_per_block: 2,
  down_block_types: ['CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D'],
  up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D'],
  cross_attention_dim: 384,
  attention_head_dim: 8,
  norm_num_groups: 32,
  norm_eps: 1e-5,
  flip_sin_to_cos: true,
  freq_shift: 0,
});

/** That of the autoencoder. */
export const FULL_VAE = JSON.stringify({
  latent_channels: 4,
  block_out_channels: [128, 256, 512, 512],
  layers_per_block: 2,
  norm_num_groups: 32,
  down_block_types: new Array(4).fill('DownEncoderBlock2D'),
  up_block_types: new Array(4).fill('UpDecoderBlock2D'),
});

const FULL_WHISPER = JSON.stringify({
  model_type: 'whisper',
  d_model: 384,
  encoder_layers: 4,
  encoder_attention_heads: 6,
  encoder_ffn_dim: 1536,
  num_mel_bins: 80,
  max_source_positions: 1500,
  activation_function: 'gelu',
});

const NOISE = 2 ** 20;

/** Uniform numbers that are repeated, each tensor beginning elsewhere among them: a generator would take minutes. */
function* random(shapes: Shapes): Generator<TensorSource> {
  const noise = new Float32Array(NOISE);
  let seed = 1;
  for (let i = 0; i < NOISE; i++) {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    noise[i] = seed / 2 ** 31 - 1;
  }
  let at = 0;
  for (const [name, dims] of shapes) {
    at = (at + 333_667) % NOISE;
    const begin = at;
    const fanIn = dims.slice(1).reduce((product, dim) => product * dim, 1);
    // What goes into a layer with a variance of 1 comes out so; of a norm, scales about 1.
    const isScale = dims.length === 1 && !/bias$|mean$/.test(name);
    const [base, scale] = dims.length > 1 ? [0, Math.sqrt(3 / fanIn)] : isScale ? [1, 0.2] : [0, 0.1];
    yield {
      name,
      dims,
      fill(buffer) {
        for (let i = 0; i < buffer.length; i++) buffer[i] = base + scale * noise[(begin + i) & (NOISE - 1)]!;
      },
    };
  }
}
