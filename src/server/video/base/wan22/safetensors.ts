import { readSafetensorsHeader } from '../../../weights/open-weights.ts';
import type { SafetensorsHeader } from '../../../weights/safetensors.ts';
import { WeightsError } from '../../../weights/weights.ts';
import { VideoError } from '../../contracts.ts';

/** Reads the header of a safetensors file, none of its weights; throws a `VideoError` where the file is none, or cut off. */
export async function safetensorsHeaderOf(file: string): Promise<SafetensorsHeader> {
  return readSafetensorsHeader(file).catch((error: unknown) => {
    throw error instanceof WeightsError ? new VideoError(error.message, { cause: error }) : error;
  });
}
