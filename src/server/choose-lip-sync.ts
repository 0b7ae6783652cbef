import type { Config } from './config.ts';
import type { Gpu } from './machine/machine.ts';
import { probe } from './machine/probe.ts';
import { ENOUGH_FPS, museTalkFolder, readSpeeds, speedOn } from './musetalk-speeds.ts';
import { readConverted } from './video/lip-sync/musetalk/convert/converted.ts';
import type { LipSyncSettings } from './video/lip-sync/open-lip-sync.ts';

/** A lip-sync with its settings, and why it was taken. */
export type LipSyncChoice = {
  readonly settings: LipSyncSettings;
  /** For the log: what was looked at, where the choice was ours. */
  readonly why?: string;
  /** Why it is not the one that was asked for, with the fix. */
  readonly problem?: string;
};

const VISEMES = { engine: 'visemes' } as const;
const PULL = 'voice-chat models pull musetalk';

/** What a configuration with `engine: musetalk` has where it says no more. */
const USUAL = { device: 'auto', gpu: 0, mask: 'jaw', margin: 10 } as const;

/** Looks for the cards of this machine. */
export type FindCards = (signal: AbortSignal) => Promise<readonly Gpu[]>;

/** The lip-sync that the configuration means here; looks at the disk, and at the cards where that decides. */
export async function chooseLipSync(
  { video, cache, models }: Pick<Config, 'video' | 'cache' | 'models'>,
  signal: AbortSignal,
  cards: FindCards = async (during) => (await probe({ modelsFolder: models.folder }, during)).gpus,
): Promise<LipSyncChoice> {
  const { lipSync } = video;
  if (lipSync.engine === 'visemes' || lipSync.engine === 'remote') return { settings: lipSync };
  const folder = museTalkFolder(cache.folder);
  const here = await readConverted(folder);
  if (lipSync.engine === 'musetalk') {
    const problem = `MuseTalk’s converted networks are not in ${folder}: run ${PULL}.`;
    if (!here) return { settings: VISEMES, problem };
    return { settings: { ...lipSync, folder, version: here.version, width: here.width } };
  }
  if (!here) return { settings: VISEMES, why: `MuseTalk is not here (${PULL} fetches it, for machines with a card)` };
  const card = (await cards(signal))[USUAL.gpu];
  if (!card) return { settings: VISEMES, why: 'MuseTalk wants a card, and none was found' };
  const speed = speedOn(await readSpeeds(cache.folder), here.version, card);
  if (!speed) {
    return {
      settings: VISEMES,
      why: `MuseTalk was not measured on ${card.name} with this driver; voice-chat doctor does`,
    };
  }
  const manages = `${card.name} paints ${speed.framesPerSecond.toFixed(1)} frames a second with MuseTalk`;
  if (speed.framesPerSecond < ENOUGH_FPS) return { settings: VISEMES, why: `${manages}, and ${ENOUGH_FPS} are needed` };
  const settings = { engine: 'musetalk', ...USUAL, device: speed.device, folder } as const;
  return { settings: { ...settings, version: here.version, width: here.width }, why: manages };
}
