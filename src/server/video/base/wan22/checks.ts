import { readFile, realpath, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { SafetensorsHeader } from '../../../weights/safetensors.ts';
import { VideoError } from '../../contracts.ts';
import { isWanBlock, noiseWord } from './noise-word.ts';
import { safetensorsHeaderOf } from './safetensors.ts';
import type { Wan22Files, Wan22Settings, Weights } from './settings.ts';

/** What LightX2V opens in the base model's folder, and the least bytes of what is no such file when it is smaller. */
const BASE_FILES: readonly (readonly [string, number])[] = [
  ['high_noise_model/config.json', 2],
  ['low_noise_model/config.json', 2],
  ['models_t5_umt5-xxl-enc-bf16.pth', 1e9],
  ['Wan2.1_VAE.pth', 1e8],
  ['google/umt5-xxl/tokenizer.json', 1e5],
  ['google/umt5-xxl/tokenizer_config.json', 2],
  ['google/umt5-xxl/spiece.model', 1e5],
];

/** Channels that an expert for pictures takes: noise, mask and the picture's own; one for words alone takes 16. */
const I2V_CHANNELS = 36;
/** Each expert has about 14.3 billion weights. */
const WEIGHTS_FROM = 12e9;
const WEIGHTS_TO = 17e9;

/** Throws a `VideoError` for settings that LightX2V would take and make rubbish of. */
export function checkSteps({
  frames,
  steps,
  boundaryStep,
}: Pick<Wan22Settings, 'frames' | 'steps' | 'boundaryStep'>): void {
  if (frames % 4 !== 1) {
    const low = Math.floor((frames - 1) / 4) * 4 + 1;
    throw new VideoError(`video.baseClips.frames must be 4n + 1: ${frames} is none, ${low} and ${low + 4} are.`);
  }
  if (steps.length < 2 || steps.some((step, i) => i > 0 && step >= steps[i - 1]!)) {
    throw new VideoError(
      `video.baseClips.steps must be two or more falling numbers, such as [1000, 750, 500, 250], not [${steps.join(', ')}].`,
    );
  }
  if (boundaryStep < 1 || boundaryStep >= steps.length) {
    throw new VideoError(
      `video.baseClips.boundaryStep is ${boundaryStep}, but with ${steps.length} steps it must be 1 to ${steps.length - 1}, so that each expert has one.`,
    );
  }
}

/** Throws a `VideoError` that names the file where something of the base model is missing. */
export async function checkBase(folder: string): Promise<void> {
  const fix =
    'voice-chat models pull wan22-fp8 (or wan22-int8) fetches it; a folder of your own is named in video.baseClips.baseModel';
  for (const [path, least] of BASE_FILES) {
    const about = await stat(join(folder, path)).catch(() => undefined);
    if (!about?.isFile()) throw new VideoError(`${join(folder, path)} of the base model is missing; ${fix}.`);
    if (about.size < least) throw new VideoError(`${join(folder, path)} has only ${about.size} bytes; ${fix}.`);
  }
  for (const expert of ['high_noise_model', 'low_noise_model']) {
    const file = join(folder, expert, 'config.json');
    const shape = jsonIn(await readFile(file, 'utf8'));
    if (shape === undefined) throw new VideoError(`${file} is no JSON; ${fix}.`);
    if (shape.in_dim !== undefined && shape.in_dim !== I2V_CHANNELS) {
      throw new VideoError(`${file} describes another model than Wan2.2-I2V-A14B (in_dim ${shape.in_dim}); ${fix}.`);
    }
  }
}

/**
 * The weights' kind that both experts have. Throws a `VideoError` that names file and fix where one is missing, is for the
 * other noise, for another model, or of another kind than its sibling or than `wanted`.
 */
export async function checkExperts(files: Wan22Files, wanted: Weights | 'auto'): Promise<Weights> {
  const high = await expert(files.highNoise, 'high_noise', 'highNoise');
  const low = await expert(files.lowNoise, 'low_noise', 'lowNoise');
  if ((await realpath(files.highNoise)) === (await realpath(files.lowNoise))) {
    throw new VideoError(
      `video.baseClips.highNoise and lowNoise name the same file, ${files.highNoise}; each expert has its own.`,
    );
  }
  if (high !== low) {
    throw new VideoError(
      `The experts differ: ${files.highNoise} is ${high}, ${files.lowNoise} is ${low}. Take both of one kind.`,
    );
  }
  if (wanted !== 'auto' && high !== wanted) {
    throw new VideoError(
      `${files.highNoise} is ${high}, not ${wanted}. Set video.baseClips.weights: ${high}, or name other files.`,
    );
  }
  return high;
}

async function expert(file: string, noise: 'high_noise' | 'low_noise', key: string): Promise<Weights> {
  const setting = `video.baseClips.${key}`;
  const about = await stat(file).catch(() => undefined);
  if (!about?.isFile()) throw new VideoError(`${file} is no file. Correct ${setting}, or leave it empty.`);
  if (/comfyui/i.test(basename(file))) {
    throw new VideoError(`${file} is in ComfyUI's form; ${setting} wants the file of that name without it.`);
  }
  const header = await safetensorsHeaderOf(file);
  const said = noiseWord(basename(file), header.metadata);
  if (said !== undefined && said !== noise) {
    const hint = said === 'both' ? 'Rename it' : 'Are video.baseClips.highNoise and lowNoise swapped? Correct them';
    throw new VideoError(`${file} calls itself ${said} and stands in ${setting}. ${hint}.`);
  }
  if (said === undefined) {
    throw new VideoError(
      `Neither the name of ${file} nor its metadata says ${noise}, so a mix-up could not be seen. Put ${noise} into its name.`,
    );
  }
  return kindOf(header, file, setting);
}

function kindOf({ tensors }: SafetensorsHeader, file: string, setting: string): Weights {
  const large = [...tensors].filter(([name, { shape }]) => isWanBlock(name) && shape.length === 2);
  const count = large.reduce((sum, [, { shape }]) => sum + shape[0]! * shape[1]!, 0);
  const channels = tensors.get('patch_embedding.weight')?.shape[1];
  const isOther = count < WEIGHTS_FROM || count > WEIGHTS_TO || (channels !== undefined && channels !== I2V_CHANNELS);
  if (isOther) {
    throw new VideoError(
      `${file} is no expert of Wan2.2-I2V-A14B (${(count / 1e9).toFixed(1)} billion weights${channels ? `, ${channels} channels` : ''}). Correct ${setting}.`,
    );
  }
  const types = new Set(large.map(([, { dtype }]) => dtype));
  if (types.has('F8_E4M3')) return 'fp8';
  if (types.has('I8')) return 'int8';
  if ([...types].every((type) => ['BF16', 'F16', 'F32'].includes(type))) return 'bf16';
  throw new VideoError(
    `${file} has weights of a kind that is not known here (${[...types].join(', ')}); take fp8, int8 or bf16.`,
  );
}

function jsonIn(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
