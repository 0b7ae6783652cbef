import {
  BATCHES,
  FRAME_TOKENS,
  LATENT_CHANNELS,
  LATENT_SIZE,
  MEL_BANDS,
  MEL_COLUMNS,
  type MuseTalkNetworks,
  STATES,
} from './networks.ts';

/** A device that takes longer for one picture will not be given more of them at once in the beginning. */
const SLOW_MS = 1_000;

/**
 * Loads what a reply needs and computes each batch once, since a device settles on its way once per shape; answers how many frames
 * a second are painted then. Rejects as the networks do.
 */
export async function warmUp(networks: MuseTalkNetworks, signal: AbortSignal): Promise<number> {
  const { width } = networks;
  await networks.speech(new Float32Array(MEL_BANDS * MEL_COLUMNS), 0, 1, signal);
  let framesPerSecond = 0;
  for (const count of BATCHES) {
    const states = new Float32Array(count * FRAME_TOKENS * STATES * width);
    const latents = new Float32Array(count * LATENT_CHANNELS * LATENT_SIZE * LATENT_SIZE);
    await networks.faces(states, latents, signal);
    if (count > 1 && count < BATCHES.at(-1)!) continue;
    const began = performance.now();
    await networks.faces(states, latents, signal);
    const ms = performance.now() - began;
    framesPerSecond = (1_000 * count) / ms;
    if (count === 1 && ms > SLOW_MS) break;
  }
  return framesPerSecond;
}
