import { realpath, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { VideoError } from '../../contracts.ts';
import { isWanBlock, noiseWord } from './noise-word.ts';
import { safetensorsHeaderOf } from './safetensors.ts';
import type { LoraSettings, Weights } from './settings.ts';

const TARGETS = ['high_noise', 'low_noise'] as const;

/**
 * Throws a `VideoError` for LoRAs that LightX2V would leave out, or apply to the wrong expert, without an error of its own.
 * Answers what is allowed and may surprise, as a sentence.
 */
export async function checkLoras(loras: readonly LoraSettings[], weights: Weights): Promise<string | undefined> {
  for (const target of TARGETS) {
    const same = loras.filter((lora) => lora.target === target);
    if (same.length > 1) {
      throw new VideoError(
        `video.baseClips.loras has ${same.length} entries for ${target}, of which LightX2V takes one. Keep one, or merge them.`,
      );
    }
  }
  for (const lora of loras) await checkLora(lora);
  const [first, second] = await Promise.all(loras.map(({ path }) => realpath(path)));
  if (first !== undefined && first === second) {
    throw new VideoError(`video.baseClips.loras names ${loras[0]!.path} for both experts; each wants its own file.`);
  }
  if (loras.length !== 1) return undefined;
  const { target, path } = loras[0]!;
  const other = TARGETS.find((one) => one !== target)!;
  if (weights !== 'bf16') {
    throw new VideoError(
      `video.baseClips.loras has one for ${target} alone; on weights in ${weights} LightX2V takes one for each expert or none. Add one for ${other}, or set video.baseClips.weights: bf16.`,
    );
  }
  return `${path} changes the ${target} expert alone; if it has a sibling for ${other}, name that in video.baseClips.loras too.`;
}

async function checkLora({ target, path }: LoraSettings): Promise<void> {
  const about = await stat(path).catch(() => undefined);
  if (!about?.isFile()) throw new VideoError(`The LoRA ${path} is no file. Correct video.baseClips.loras.`);
  const { tensors, metadata } = await safetensorsHeaderOf(path);
  const names = [...tensors.keys()];
  if (!names.some((name) => isWanBlock(name) && /lora|\.diff(?:_[bm])?$/.test(name))) {
    throw new VideoError(
      `No tensor of ${path} is a LoRA of Wan's blocks (${names[0] ?? 'it has none'}, say), so LightX2V would leave it out. Take one for Wan2.2 I2V A14B.`,
    );
  }
  const said = noiseWord(basename(path), metadata);
  if (said === target) return;
  if (said === undefined || said === 'both') {
    throw new VideoError(
      `Neither the name of ${path} nor its metadata says which expert it is for, so a mix-up could not be seen. Put ${target} into its name.`,
    );
  }
  throw new VideoError(
    `${path} is for ${said}, and video.baseClips.loras gives it to ${target}. Are the two swapped? Correct target or path.`,
  );
}
