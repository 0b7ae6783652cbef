import { describe, expect, it } from 'vitest';
import { appliedIn, stepIn } from '../../../src/server/video/base/wan22/lightx2v-log.ts';
import { lightx2vConfig, placementFor, presetFor, setupFor } from '../../../src/server/video/base/wan22/presets.ts';
import { restartPays } from '../../../src/server/video/base/wan22/restart-rule.ts';
import type { Wan22Machine, Wan22Settings } from '../../../src/server/video/base/wan22/settings.ts';

const machine = (computeCapability: number, freeGb: number, ramGb = 128): Wan22Machine => ({
  gpus: [{ maker: 'nvidia', name: 'a card', computeCapability, freeBytes: freeGb * 1e9 }],
  memory: { availableBytes: ramGb * 1e9 },
});
const auto = { preset: 'auto', weights: 'auto' } as const;
const settings = { frames: 81, steps: [1_000, 750, 500, 250], boundaryStep: 2, loras: [] };
const files = { base: '/base', highNoise: '/high', lowNoise: '/low' };

function config(
  computeCapability: number,
  freeGb: number,
  over: Partial<Pick<Wan22Settings, 'preset' | 'weights' | 'loras'>> = {},
  task: 'flf2v' | 'i2v' = 'flf2v',
): Record<string, unknown> {
  const here = machine(computeCapability, freeGb);
  const setup = setupFor({ ...auto, ...over }, here);
  return lightx2vConfig({ ...settings, ...over }, setup, placementFor(setup, here), files, task);
}

describe('the preset', () => {
  it.each([
    [12, 'sm120'],
    [12.1, 'sm120'],
    [10, 'floor'],
    [9, 'sm90'],
    [8.9, 'sm89'],
    [8.6, 'sm86'],
    [8, 'sm86'],
    [7.5, 'floor'],
    [undefined, 'floor'],
  ])('for compute capability %s is %s', (capability, preset) => {
    expect(presetFor(capability)).toBe(preset);
  });

  it.each([
    [12, 'int8-q8f', 'sage_attn2'],
    [9, 'fp8-sgl', 'flash_attn3'],
    [8.9, 'fp8-q8f', 'sage_attn2'],
    [8.6, 'int8-q8f', 'sage_attn2'],
  ])('for %s takes %s and %s', (capability, scheme, attention) => {
    expect(config(capability, 24)).toMatchObject({
      dit_quantized: true,
      dit_quant_scheme: scheme,
      ...{ self_attn_1_type: attention, cross_attn_1_type: attention, cross_attn_2_type: attention },
      high_noise_quantized_ckpt: '/high',
      low_noise_quantized_ckpt: '/low',
    });
  });

  it.each([12, 7.5])(
    "of %s leaves out what breaks there: others' kernels for rotation, norm and modulation",
    (capability) => {
      const plain = { rope_type: 'torch_complex_rope', rms_norm_type: 'torch', modulate_type: 'torch' };
      expect(config(capability, 96)).toMatchObject(plain);
      for (const key of Object.keys(plain)) expect(config(8.9, 96)).not.toHaveProperty(key);
    },
  );

  it('of 16 bits names the originals', () => {
    const made = config(9, 140, { weights: 'bf16' });
    expect(made).toMatchObject({
      dit_quantized: false,
      high_noise_original_ckpt: '/high',
      low_noise_original_ckpt: '/low',
    });
    expect(Object.keys(made).filter((key) => /quantized_ckpt|dit_quant_scheme/.test(key))).toEqual([]);
  });

  it('applies LoRAs without merging where weights are quantised', () => {
    const loras = [{ target: 'high_noise', path: '/lora', strength: 0.8 }] as const;
    const entry = { name: 'high_noise_model', path: '/lora', strength: 0.8 };
    expect(config(12, 96, { loras })).toMatchObject({ lora_configs: [entry], lora_dynamic_apply: true });
    expect(config(12, 96, { loras, weights: 'bf16' })).toMatchObject({
      lora_configs: [entry],
      lora_dynamic_apply: false,
    });
    expect(config(12, 96)).not.toHaveProperty('lora_configs');
  });

  it('shifts more for a video between two pictures', () => {
    expect(config(12, 96).sample_shift).toBe(16);
    expect(config(12, 96, {}, 'i2v').sample_shift).toBe(5);
  });

  it('of weights that the card has no kernels for is refused', () => {
    expect(() => setupFor({ ...auto, weights: 'fp8' }, machine(8.6, 24))).toThrow(/no kernels for fp8.*int8 or bf16/);
  });

  it('takes the roomiest of several cards', () => {
    const [small, large] = [machine(8.6, 8).gpus[0]!, machine(12, 30).gpus[0]!];
    const { index, preset } = setupFor(auto, { gpus: [small, large], memory: { availableBytes: 128e9 } });
    expect([index, preset]).toEqual([1, 'sm120']);
  });

  it.each([[[]], [[{ maker: 'amd', name: 'Radeon', freeBytes: 24e9 }]]])('needs an NVIDIA card, not %j', (gpus) => {
    expect(() => setupFor(auto, { gpus, memory: { availableBytes: 128e9 } })).toThrow(
      /needs an NVIDIA card.*openai-videos/,
    );
  });

  it('on the floor takes weights that need no kernel where they fit', () => {
    expect(setupFor(auto, machine(7.5, 24, 128)).weights).toBe('bf16');
    expect(setupFor(auto, machine(7.5, 24, 64)).weights).toBe('int8');
  });
});

describe('the weights', () => {
  it.each([
    [96, { cpu_offload: false, t5_cpu_offload: false, use_tiling_vae: false }],
    [40, { cpu_offload: false, t5_cpu_offload: true, use_tiling_vae: false }],
    [24, { cpu_offload: true, offload_granularity: 'model', t5_cpu_offload: true }],
    [11.5, { cpu_offload: true, offload_granularity: 'block', t5_cpu_offload: true, use_tiling_vae: true }],
  ])('on a card with %i GB free lie so', (freeGb, expected) => {
    expect(config(12, freeGb)).toMatchObject(expected);
  });

  it('that do not fit are refused, with what is lacking', () => {
    const little =
      (freeGb: number, ramGb: number, weights: 'auto' | 'bf16' = 'auto') =>
      () => {
        const here = machine(12, freeGb, ramGb);
        return placementFor(setupFor({ ...auto, weights }, here), here);
      };
    expect(little(8, 128)).toThrow(/needs 9\.5 GB free on the card.*has 8\.0 GB/);
    expect(little(12, 32)).toThrow(/needs 45\.4 GB of free memory.*32\.0 GB are free. Close other programs/);
    expect(little(12, 64, 'bf16')).toThrow(/weights: fp8 or int8/);
  });
});

describe('a server that works on what nobody wants', () => {
  const left = { stepsLeft: 4, msPerStep: 5_000, tailMs: 4_000, startMs: 15_000 };

  it.each<[boolean, string, Partial<typeof left>]>([
    [true, 'much is left', {}],
    [false, 'little is left', { stepsLeft: 2 }],
    [false, 'starting takes long', { startMs: 60_000 }],
    [false, 'it saves next to nothing', { startMs: 20_000 }],
  ])('is started anew: %s, since %s', (pays, _, over) => {
    expect(restartPays({ ...left, ...over })).toBe(pays);
  });

  it('is left to itself while nothing was measured', () => {
    expect(restartPays({ ...left, msPerStep: undefined })).toBe(false);
  });
});

describe('the whole of what is written down for LightX2V', () => {
  it('is this, key by key, for a Blackwell card with room', () => {
    const setup = setupFor(auto, machine(12, 96));
    const placement = placementFor(setup, machine(12, 96));
    expect(lightx2vConfig(settings, setup, placement, files, 'flf2v')).toEqual({
      infer_steps: 4,
      target_video_length: 81,
      text_len: 512,
      target_height: 480,
      target_width: 480,
      resolution: '480p',
      fps: 16,
      self_attn_1_type: 'sage_attn2',
      cross_attn_1_type: 'sage_attn2',
      cross_attn_2_type: 'sage_attn2',
      sample_guide_scale: [3.5, 3.5],
      sample_shift: 16,
      enable_cfg: false,
      use_image_encoder: false,
      boundary_step_index: 2,
      denoising_step_list: [1_000, 750, 500, 250],
      cpu_offload: false,
      offload_granularity: 'block',
      t5_cpu_offload: false,
      vae_cpu_offload: false,
      use_tiling_vae: false,
      t5_quantized: false,
      dit_quantized: true,
      dit_quant_scheme: 'int8-q8f',
      high_noise_quantized_ckpt: '/high',
      low_noise_quantized_ckpt: '/low',
      rope_type: 'torch_complex_rope',
      rms_norm_type: 'torch',
      modulate_type: 'torch',
    });
  });
});

describe("a line of LightX2V's output", () => {
  it.each([
    ['2026-08-21 10:00:00.000 | INFO | ==> step_index: 2 / 4', { step: 2, steps: 4 }],
    ['==> step_index: 9 / 4', { step: 4, steps: 4 }],
    ['==> step_index: 1 / 0', undefined],
    ['prompt: step_index', undefined],
  ])('%s tells the step %j', (line, step) => {
    expect(stepIn(line)).toEqual(step);
  });

  it.each([
    ['Applied 400 LoRA weight adjustments out of 400 possible', 400],
    ['Applied 400 of 400', 400],
    ['Applied 0 LoRA weight adjustments out of 400 possible', 0],
    ['A person applied 3 layers of paint', undefined],
  ])('%s tells of %s changed weights', (line, count) => {
    expect(appliedIn(line)).toBe(count);
  });
});
