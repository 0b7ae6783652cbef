import { VideoError } from '../../contracts.ts';
import type { PresetName, Wan22Files, Wan22Machine, Wan22Settings, Wan22Task, Weights } from './settings.ts';

type Card = Wan22Machine['gpus'][number];

/** How a preset, its weights and a card go together. */
export type Setup = {
  readonly preset: PresetName;
  readonly weights: Weights;
  readonly card: Card;
  readonly index: number;
};

/** Where the weights lie while LightX2V works. */
export type Placement = {
  /** Nothing is moved, one expert at a time is on the card, or one block of an expert at a time. */
  readonly offload: 'none' | 'model' | 'block';
  readonly textEncoderOnCard: boolean;
  readonly tiled: boolean;
};

/** Pixels of the made video's sides: the bucket of LightX2V's `480p` for a square picture. */
export const VIDEO_SIDE = 480;

/** Frames per second of what Wan2.2 makes. */
export const WAN22_FPS = 16;

/** Of each expert. Sizes as the model's page says them. */
const EXPERT_BYTES: Readonly<Record<Weights, number>> = { fp8: 15e9, int8: 15e9, bf16: 28.6e9 };
const TEXT_ENCODER_BYTES = 11.4e9;
/** For 81 frames of 480 × 480 beside the weights; an estimate, not yet measured. */
const WORK_BYTES = 8e9;
/** LightX2V's documents ask for 8 GB with offload by blocks. */
const LEAST_CARD_BYTES = 9.5e9;
const HOST_BYTES = 4e9;

type Preset = {
  readonly attention: string;
  /** Names of LightX2V's matrix kernels; weights that are not named do not run here. */
  readonly schemes: Readonly<Partial<Record<Weights, string>>>;
  readonly auto: Weights;
  /** Whether rotary embedding, norm and modulation are PyTorch's own, not those of flashinfer, sgl-kernel and Triton. */
  readonly plain: boolean;
};

const PRESETS: Readonly<Record<PresetName, Preset>> = {
  sm120: {
    attention: 'sage_attn2',
    schemes: { int8: 'int8-q8f', fp8: 'fp8-torchao', bf16: 'Default' },
    auto: 'int8',
    plain: true,
  },
  sm90: {
    attention: 'flash_attn3',
    schemes: { fp8: 'fp8-sgl', int8: 'int8-vllm', bf16: 'Default' },
    auto: 'fp8',
    plain: false,
  },
  sm89: {
    attention: 'sage_attn2',
    schemes: { fp8: 'fp8-q8f', int8: 'int8-q8f', bf16: 'Default' },
    auto: 'fp8',
    plain: false,
  },
  // Its tensor cores know no fp8.
  sm86: { attention: 'sage_attn2', schemes: { int8: 'int8-q8f', bf16: 'Default' }, auto: 'int8', plain: false },
  floor: {
    attention: 'torch_sdpa',
    schemes: { bf16: 'Default', int8: 'int8-torchao', fp8: 'fp8-torchao' },
    auto: 'int8',
    plain: true,
  },
};

/** The preset for a compute capability such as 8.9; the floor for one that none was made for. */
export function presetFor(capability: number | undefined): PresetName {
  if (capability === undefined) return 'floor';
  if (capability >= 12) return 'sm120';
  // FlashAttention 3 is Hopper's alone, so that the cards between the two take the floor.
  if (capability >= 10) return 'floor';
  if (capability >= 9) return 'sm90';
  if (capability >= 8.85) return 'sm89';
  return capability >= 8 ? 'sm86' : 'floor';
}

/** The card with the most free memory, and what runs on it; throws a `VideoError` where nothing does. */
export function setupFor(settings: Pick<Wan22Settings, 'preset' | 'weights'>, machine: Wan22Machine): Setup {
  const cards = machine.gpus.filter(({ maker }) => maker === 'nvidia');
  const card = [...cards].sort((a, b) => b.freeBytes - a.freeBytes)[0];
  if (!card) {
    throw new VideoError(
      'wan22 needs an NVIDIA card, and nvidia-smi names none. Set video.baseClips.engine to still, video or openai-videos.',
    );
  }
  const preset = settings.preset === 'auto' ? presetFor(card.computeCapability) : settings.preset;
  const { schemes, auto } = PRESETS[preset];
  const weights = settings.weights === 'auto' ? autoWeights(preset, auto, card, machine) : settings.weights;
  if (schemes[weights] === undefined) {
    throw new VideoError(
      `The preset ${preset} (${card.name}) has no kernels for ${weights}. Set video.baseClips.weights to ${Object.keys(schemes).join(' or ')}.`,
    );
  }
  return { preset, weights, card, index: cards.indexOf(card) };
}

/** Where nothing but PyTorch is counted on, weights that need no kernel come first, if there is room for them. */
function autoWeights(preset: PresetName, auto: Weights, card: Card, { memory }: Wan22Machine): Weights {
  if (preset !== 'floor') return auto;
  const fits = memory.availableBytes >= 2 * EXPERT_BYTES.bf16 + TEXT_ENCODER_BYTES + HOST_BYTES;
  return fits && card.freeBytes >= LEAST_CARD_BYTES ? 'bf16' : auto;
}

/** How the weights are laid out in the memory that is free now; throws a `VideoError` that says what it lacks. */
export function placementFor({ weights, card }: Setup, { memory }: Wan22Machine): Placement {
  const expert = EXPERT_BYTES[weights];
  const { freeBytes } = card;
  if (freeBytes < LEAST_CARD_BYTES) {
    throw new VideoError(
      `wan22 needs ${gb(LEAST_CARD_BYTES)} free on the card, and the ${card.name} has ${gb(freeBytes)}. Free some (a smaller llm.model), or set video.baseClips.engine: still.`,
    );
  }
  const offload = freeBytes >= 2 * expert + WORK_BYTES ? 'none' : freeBytes >= expert + WORK_BYTES ? 'model' : 'block';
  const textEncoderOnCard = offload === 'none' && freeBytes >= 2 * expert + TEXT_ENCODER_BYTES + WORK_BYTES;
  // Weights pass through memory on their way to the card, one expert after the other.
  const held = (offload === 'none' ? expert : 2 * expert) + (textEncoderOnCard ? 0 : TEXT_ENCODER_BYTES) + HOST_BYTES;
  if (memory.availableBytes < held) {
    const fix = weights === 'bf16' ? 'Set video.baseClips.weights: fp8 or int8' : 'Close other programs';
    throw new VideoError(
      `wan22 needs ${gb(held)} of free memory for weights in ${weights}, and ${gb(memory.availableBytes)} are free. ${fix}, or set video.baseClips.engine: still.`,
    );
  }
  return { offload, textEncoderOnCard, tiled: offload === 'block' };
}

const gb = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;

/** What is written down for LightX2V: its own keys (configs/distill/wan22 and configs/wan22 of its repository). */
export function lightx2vConfig(
  settings: Pick<Wan22Settings, 'frames' | 'steps' | 'boundaryStep' | 'loras'>,
  { preset, weights }: Setup,
  { offload, textEncoderOnCard, tiled }: Placement,
  files: Wan22Files,
  task: Wan22Task,
): Record<string, unknown> {
  const { attention, schemes, plain } = PRESETS[preset];
  const isQuantized = weights !== 'bf16';
  const kind = isQuantized ? 'quantized' : 'original';
  return {
    infer_steps: settings.steps.length,
    target_video_length: settings.frames,
    text_len: 512,
    target_height: VIDEO_SIDE,
    target_width: VIDEO_SIDE,
    resolution: '480p',
    fps: WAN22_FPS,
    self_attn_1_type: attention,
    cross_attn_1_type: attention,
    cross_attn_2_type: attention,
    sample_guide_scale: [3.5, 3.5],
    sample_shift: task === 'flf2v' ? 16 : 5,
    enable_cfg: false,
    use_image_encoder: false,
    boundary_step_index: settings.boundaryStep,
    denoising_step_list: settings.steps,
    cpu_offload: offload !== 'none',
    offload_granularity: offload === 'model' ? 'model' : 'block',
    t5_cpu_offload: !textEncoderOnCard,
    vae_cpu_offload: false,
    use_tiling_vae: tiled,
    t5_quantized: false,
    dit_quantized: isQuantized,
    ...(isQuantized && { dit_quant_scheme: schemes[weights] }),
    // Always both: LightX2V looks for the two by different rules.
    [`high_noise_${kind}_ckpt`]: files.highNoise,
    [`low_noise_${kind}_ckpt`]: files.lowNoise,
    ...(plain && { rope_type: 'torch_complex_rope', rms_norm_type: 'torch', modulate_type: 'torch' }),
    ...(settings.loras.length > 0 && {
      lora_configs: settings.loras.map(({ target, path, strength }) => ({ name: `${target}_model`, path, strength })),
      // Quantised weights cannot take a LoRA into themselves.
      lora_dynamic_apply: isQuantized,
    }),
  };
}
