import { chooseLipSync } from './choose-lip-sync.ts';
import type { Config } from './config.ts';
import type { Gpu } from './machine/machine.ts';
import { converted } from './video/lip-sync/musetalk/convert/converted.ts';
import { bytesNeeded } from './video/lip-sync/musetalk/process/memory.ts';

/** What the plan for the conversation's models leaves free on the card, in bytes: what MuseTalk takes where it will paint there. */
export async function reservedForVideo(config: Config, gpus: readonly Gpu[], signal: AbortSignal): Promise<number> {
  if (!config.video.enabled || gpus.length === 0) return 0;
  const { settings } = await chooseLipSync(config, signal, async () => gpus);
  if (settings.engine !== 'musetalk' || settings.device === 'cpu') return 0;
  return bytesNeeded(converted(settings.folder), 'cuda');
}
