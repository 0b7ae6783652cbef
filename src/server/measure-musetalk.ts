import type { Config } from './config.ts';
import type { Gpu } from './machine/machine.ts';
import { cardFacts, ENOUGH_FPS, keepSpeed, type MuseTalkSpeed, museTalkFolder } from './musetalk-speeds.ts';
import type { Converted } from './video/lip-sync/musetalk/convert/converted.ts';
import { measureSpeed } from './video/lip-sync/musetalk/process/measure.ts';

/** Loading takes most of it; a card that is not done by then is not quick enough. */
const LIMIT_MS = 60_000;

/** How quick MuseTalk was on a card, or why that could not be found out: for each way to use the card one sentence. */
export type Measured =
  | { readonly speed: MuseTalkSpeed; readonly problems: readonly string[] }
  | { readonly speed?: undefined; readonly problems: readonly string[] };

/**
 * Tries how quick the converted MuseTalk is on card number `gpu`, and keeps what was found; `device` is as in the settings, where
 * the CPU is never tried. Rejects with the signal's reason only.
 */
export async function measureMuseTalk(
  { cache }: Pick<Config, 'cache'>,
  { version }: Pick<Converted, 'version'>,
  card: Gpu,
  { device, gpu }: { readonly device: 'auto' | MuseTalkSpeed['device']; readonly gpu: number },
  signal: AbortSignal,
): Promise<Measured> {
  const problems: string[] = [];
  for (const way of device === 'auto' ? waysOf(card) : [device]) {
    try {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]);
      const { framesPerSecond, firstBatchMs } = await measureSpeed(museTalkFolder(cache.folder), way, gpu, limit);
      const speed = { version, device: way, ...cardFacts(card), framesPerSecond, firstBatchMs };
      await keepSpeed(cache.folder, speed);
      return { speed, problems };
    } catch (error) {
      signal.throwIfAborted();
      const isLate = (error as Error).name === 'TimeoutError';
      problems.push(isLate ? `MuseTalk was not done within ${LIMIT_MS / 1_000} s.` : (error as Error).message);
    }
  }
  return { problems };
}

const waysOf = ({ maker }: Gpu): readonly MuseTalkSpeed['device'][] =>
  maker === 'nvidia' ? ['cuda', 'webgpu'] : ['webgpu'];

/** A measurement for people, without a full stop. */
export function speedText({ card, device, framesPerSecond, firstBatchMs }: MuseTalkSpeed): string {
  const enough = framesPerSecond >= ENOUGH_FPS ? '' : `, and ${ENOUGH_FPS} are needed for talking`;
  const first = `the first after ${firstBatchMs.toFixed(0)} ms`;
  return `MuseTalk paints ${framesPerSecond.toFixed(1)} frames a second on ${card} (${device}), ${first}${enough}`;
}
