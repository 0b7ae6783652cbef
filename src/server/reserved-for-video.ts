import { chooseLipSync } from './choose-lip-sync.ts';
import type { Config } from './config.ts';
import type { Gpu } from './machine/machine.ts';
import { converted } from './video/lip-sync/musetalk/convert/converted.ts';
import { bytesNeeded } from './video/lip-sync/musetalk/process/memory.ts';

/** What MuseTalk takes of a card where it will paint on one: the card, one of `gpus`, and bytes of its memory. */
export async function reservedForVideo(
  config: Config,
  gpus: readonly Gpu[],
  signal: AbortSignal,
): Promise<{ readonly card: Gpu; readonly bytes: number } | undefined> {
  if (!config.video.enabled || gpus.length === 0) return undefined;
  const { settings } = await chooseLipSync(config, signal, async () => gpus);
  if (settings.engine !== 'musetalk' || settings.device === 'cpu') return undefined;
  const card = gpus[settings.gpu];
  return card && { card, bytes: bytesNeeded(converted(settings.folder), 'cuda') };
}
