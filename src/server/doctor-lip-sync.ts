import { chooseLipSync } from './choose-lip-sync.ts';
import type { Config } from './config.ts';
import type { Finding } from './machine/check.ts';
import type { Gpu } from './machine/machine.ts';
import { type Measured, measureMuseTalk, speedText } from './measure-musetalk.ts';
import { ENOUGH_FPS, museTalkFolder, readSpeeds, speedOn } from './musetalk-speeds.ts';
import { type Converted, readConverted } from './video/lip-sync/musetalk/convert/converted.ts';
import { bytesNeeded } from './video/lip-sync/musetalk/process/memory.ts';

const PULL = 'Run voice-chat models pull musetalk; until then mouth shapes from the sound (visemes) do.';

/** What puts the speech into the face here, and whether the card is quick enough for it, which is tried if need be. */
export async function lipSyncCheck(config: Config, gpus: readonly Gpu[], signal: AbortSignal): Promise<Finding> {
  const { lipSync } = config.video;
  if (lipSync.engine === 'remote') {
    return { result: 'pass', found: `remote: ${lipSync.baseUrl}; what is said is heard there` };
  }
  if (lipSync.engine === 'visemes') return VISEMES;
  const here = await readConverted(museTalkFolder(config.cache.folder));
  if (lipSync.engine === 'auto') {
    const [card] = gpus;
    const tried = here && card ? await measured(config, here, card, { device: 'auto', gpu: 0 }, signal) : undefined;
    if (card && tried?.speed === undefined && tried?.problems[0] !== undefined) {
      return { result: 'warn', found: `visemes: MuseTalk does not run on ${card.name}`, fix: tried.problems[0] };
    }
    const { settings, why } = await chooseLipSync(config, signal, async () => gpus);
    return { result: 'pass', found: `${settings.engine}: ${why}` };
  }
  if (gpus.length === 0) return NO_CARD;
  const card = gpus[lipSync.gpu];
  if (!card) {
    const found = `musetalk: there is no card ${lipSync.gpu}, for they are counted from 0 and there ${gpus.length === 1 ? 'is 1' : `are ${gpus.length}`}`;
    return { result: 'warn', found, fix: 'Set video.lipSync.gpu: 0.' };
  }
  if (!here) return { result: 'warn', found: 'musetalk: its converted networks are not here', fix: PULL };
  if (lipSync.device === 'cpu') {
    const found = 'musetalk: on the CPU, which takes seconds for each frame';
    return { result: 'warn', found, fix: 'Set video.lipSync.device: auto.' };
  }
  const { speed, problems } = await measured(config, here, card, lipSync, signal);
  const { text, isEnough } = memoryOf(here, card);
  if (!speed) {
    const fix = `${problems.at(0)} Or set video.lipSync.engine: visemes.`;
    return { result: 'warn', found: `musetalk: it does not run on ${card.name}`, fix };
  }
  const found = `musetalk: ${speedText(speed)}; ${text}`;
  if (!isEnough) return { result: 'warn', found, fix: 'End what else uses the card, or choose a smaller chat model.' };
  if (speed.framesPerSecond >= ENOUGH_FPS) return { result: 'pass', found };
  const better = speed.device === 'cuda' ? undefined : problems[0];
  return { result: 'warn', found, fix: better ?? 'Set video.lipSync.engine: visemes; clips come late otherwise.' };
}

const NO_CARD: Finding = {
  result: 'warn',
  found: 'musetalk: no card was found, and the CPU takes seconds for each frame',
  fix: 'Set video.lipSync.engine: visemes.',
};
const VISEMES: Finding = { result: 'pass', found: 'visemes: mouth shapes from the sound' };

/** As it was measured before with this driver, or as it is now. */
async function measured(
  config: Config,
  here: Converted,
  card: Gpu,
  settings: Parameters<typeof measureMuseTalk>[3],
  signal: AbortSignal,
): Promise<Measured> {
  const known = speedOn(await readSpeeds(config.cache.folder), here.version, card);
  const isMeant = known && (settings.device === 'auto' || settings.device === known.device);
  return isMeant ? { speed: known, problems: [] } : measureMuseTalk(config, here, card, settings, signal);
}

function memoryOf(here: Converted, { freeBytes }: Gpu): { text: string; isEnough: boolean } {
  const needed = bytesNeeded(here, 'cuda');
  const gb = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  return {
    text: `it takes ${gb(needed)} of the card, and ${gb(freeBytes)} are free`,
    isEnough: freeBytes >= needed,
  };
}
