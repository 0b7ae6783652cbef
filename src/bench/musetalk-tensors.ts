/** Names and shapes of a network's tensors, as its published file has them. */
export type Shapes = ReadonlyMap<string, readonly number[]>;

/** Something of a network that adds its tensors under a name. */
type Add = (name: string, dims: readonly number[]) => void;

const conv = (add: Add, name: string, from: number, to: number, size = 3): void => {
  add(`${name}.weight`, [to, from, size, size]);
  add(`${name}.bias`, [to]);
};

const linear = (add: Add, name: string, from: number, to: number, bias = true): void => {
  add(`${name}.weight`, [to, from]);
  if (bias) add(`${name}.bias`, [to]);
};

const norm = (add: Add, name: string, channels: number): void => {
  add(`${name}.weight`, [channels]);
  add(`${name}.bias`, [channels]);
};

function resnet(add: Add, name: string, from: number, to: number, time = 0): void {
  norm(add, `${name}.norm1`, from);
  conv(add, `${name}.conv1`, from, to);
  if (time > 0) linear(add, `${name}.time_emb_proj`, time, to);
  norm(add, `${name}.norm2`, to);
  conv(add, `${name}.conv2`, to, to);
  if (from !== to) conv(add, `${name}.conv_shortcut`, from, to, 1);
}

function transformer(add: Add, name: string, channels: number, heard: number): void {
  norm(add, `${name}.norm`, channels);
  conv(add, `${name}.proj_in`, channels, channels, 1);
  const block = `${name}.transformer_blocks.0`;
  for (const [i, keys] of [channels, heard].entries()) {
    norm(add, `${block}.norm${i + 1}`, channels);
    linear(add, `${block}.attn${i + 1}.to_q`, channels, channels, false);
    linear(add, `${block}.attn${i + 1}.to_k`, keys, channels, false);
    linear(add, `${block}.attn${i + 1}.to_v`, keys, channels, false);
    linear(add, `${block}.attn${i + 1}.to_out.0`, channels, channels);
  }
  norm(add, `${block}.norm3`, channels);
  linear(add, `${block}.ff.net.0.proj`, channels, 8 * channels);
  linear(add, `${block}.ff.net.2`, 4 * channels, channels);
  conv(add, `${name}.proj_out`, channels, channels, 1);
}

const listed = (list: (add: Add) => void): Shapes => {
  const shapes = new Map<string, readonly number[]>();
  list((name, dims) => shapes.set(name, dims));
  return shapes;
};

/** MuseTalk 1.5's UNet: 686 tensors, 850 million numbers. */
export const unetTensors = (): Shapes =>
  listed((add) => {
    const [levels, heard, time] = [[320, 640, 1280, 1280], 384, 1280];
    conv(add, 'conv_in', 8, levels[0]!);
    linear(add, 'time_embedding.linear_1', levels[0]!, time);
    linear(add, 'time_embedding.linear_2', time, time);
    for (const [i, channels] of levels.entries()) {
      for (let j = 0; j < 2; j++) {
        const from = j === 0 ? levels[Math.max(i - 1, 0)]! : channels;
        resnet(add, `down_blocks.${i}.resnets.${j}`, from, channels, time);
        if (i < 3) transformer(add, `down_blocks.${i}.attentions.${j}`, channels, heard);
      }
      if (i < 3) conv(add, `down_blocks.${i}.downsamplers.0.conv`, channels, channels);
    }
    for (const j of [0, 1]) resnet(add, `mid_block.resnets.${j}`, 1280, 1280, time);
    transformer(add, 'mid_block.attentions.0', 1280, heard);
    const upper = [...levels].reverse();
    for (const [i, channels] of upper.entries()) {
      for (let j = 0; j < 3; j++) {
        const from = j === 0 ? upper[Math.max(i - 1, 0)]! : channels;
        const beside = j === 2 ? upper[Math.min(i + 1, 3)]! : channels;
        resnet(add, `up_blocks.${i}.resnets.${j}`, from + beside, channels, time);
        if (i > 0) transformer(add, `up_blocks.${i}.attentions.${j}`, channels, heard);
      }
      if (i < 3) conv(add, `up_blocks.${i}.upsamplers.0.conv`, channels, channels);
    }
    norm(add, 'conv_norm_out', levels[0]!);
    conv(add, 'conv_out', levels[0]!, 4);
  });

/** The autoencoder sd-vae-ft-mse, whose attention has the names of before 2023. */
export const vaeTensors = (): Shapes =>
  listed((add) => {
    const levels = [128, 256, 512, 512];
    const middle = (name: string) => {
      for (const j of [0, 1]) resnet(add, `${name}.resnets.${j}`, 512, 512);
      norm(add, `${name}.attentions.0.group_norm`, 512);
      for (const part of ['query', 'key', 'value', 'proj_attn']) linear(add, `${name}.attentions.0.${part}`, 512, 512);
    };
    const way = (name: string, all: readonly number[], resnets: number, sampler: string) => {
      for (const [i, channels] of all.entries()) {
        for (let j = 0; j < resnets; j++) {
          resnet(add, `${name}.${i}.resnets.${j}`, j === 0 ? all[Math.max(i - 1, 0)]! : channels, channels);
        }
        if (i < 3) conv(add, `${name}.${i}.${sampler}.0.conv`, channels, channels);
      }
    };
    conv(add, 'encoder.conv_in', 3, 128);
    way('encoder.down_blocks', levels, 2, 'downsamplers');
    middle('encoder.mid_block');
    norm(add, 'encoder.conv_norm_out', 512);
    conv(add, 'encoder.conv_out', 512, 8);
    conv(add, 'quant_conv', 8, 8, 1);
    conv(add, 'post_quant_conv', 4, 4, 1);
    conv(add, 'decoder.conv_in', 4, 512);
    middle('decoder.mid_block');
    way('decoder.up_blocks', [...levels].reverse(), 3, 'upsamplers');
    norm(add, 'decoder.conv_norm_out', 128);
    conv(add, 'decoder.conv_out', 128, 3);
  });

/** The encoder of whisper-tiny. */
export const whisperTensors = (): Shapes =>
  listed((add) => {
    const [width, inner] = [384, 1536];
    for (const [i, from] of [80, width].entries()) {
      add(`model.encoder.conv${i + 1}.weight`, [width, from, 3]);
      add(`model.encoder.conv${i + 1}.bias`, [width]);
    }
    add('model.encoder.embed_positions.weight', [1500, width]);
    for (let i = 0; i < 4; i++) {
      const layer = `model.encoder.layers.${i}`;
      for (const part of ['k', 'v', 'q', 'out'])
        linear(add, `${layer}.self_attn.${part}_proj`, width, width, part !== 'k');
      norm(add, `${layer}.self_attn_layer_norm`, width);
      linear(add, `${layer}.fc1`, width, inner);
      linear(add, `${layer}.fc2`, inner, width);
      norm(add, `${layer}.final_layer_norm`, width);
    }
    norm(add, 'model.encoder.layer_norm', width);
  });

/** The face parser 79999_iter, BiSeNet on ResNet-18, without what is of use only while it is trained. */
export const parserTensors = (): Shapes =>
  listed((add) => {
    const batchNorm = (name: string, channels: number) => {
      norm(add, name, channels);
      for (const part of ['running_mean', 'running_var']) add(`${name}.${part}`, [channels]);
    };
    const plain = (name: string, from: number, to: number, size: number) =>
      add(`${name}.weight`, [to, from, size, size]);
    const step = (name: string, from: number, to: number, size: number) => {
      plain(`${name}.conv`, from, to, size);
      batchNorm(`${name}.bn`, to);
    };
    plain('cp.resnet.conv1', 3, 64, 7);
    batchNorm('cp.resnet.bn1', 64);
    for (const [i, channels] of [64, 128, 256, 512].entries()) {
      for (let j = 0; j < 2; j++) {
        const block = `cp.resnet.layer${i + 1}.${j}`;
        const from = j === 0 && i > 0 ? channels / 2 : channels;
        plain(`${block}.conv1`, from, channels, 3);
        batchNorm(`${block}.bn1`, channels);
        plain(`${block}.conv2`, channels, channels, 3);
        batchNorm(`${block}.bn2`, channels);
        if (from === channels) continue;
        plain(`${block}.downsample.0`, from, channels, 1);
        batchNorm(`${block}.downsample.1`, channels);
      }
    }
    for (const [name, from] of [
      ['arm16', 256],
      ['arm32', 512],
    ] as const) {
      step(`cp.${name}.conv`, from, 128, 3);
      plain(`cp.${name}.conv_atten`, 128, 128, 1);
      batchNorm(`cp.${name}.bn_atten`, 128);
    }
    for (const name of ['conv_head32', 'conv_head16']) step(`cp.${name}`, 128, 128, 3);
    step('cp.conv_avg', 512, 128, 1);
    step('ffm.convblk', 256, 256, 1);
    plain('ffm.conv1', 256, 64, 1);
    plain('ffm.conv2', 64, 256, 1);
    step('conv_out.conv', 256, 256, 3);
    plain('conv_out.conv_out', 256, 19, 1);
  });
