import { readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Config } from './config.ts';
import { installedPackages } from './machine/packages.ts';
import { probe } from './machine/probe.ts';
import { measureMuseTalk, speedText } from './measure-musetalk.ts';
import { MUSETALK_MODEL } from './models/manifest-video.ts';
import type { StoredModel } from './models/stored-model.ts';
import { forgetSpeeds, museTalkFolder, readSpeeds, speedOn } from './musetalk-speeds.ts';
import { convert } from './video/lip-sync/musetalk/convert/convert.ts';
import { type Converted, readConverted, type Sources } from './video/lip-sync/musetalk/convert/converted.ts';
import { wrongFiles } from './video/lip-sync/musetalk/convert/file-facts.ts';
import { makeRoom, type SourceSizes } from './video/lip-sync/musetalk/convert/room.ts';

/** What was made of a model's files. */
export type Made = { readonly folder: string; readonly bytes: number };

/** What has to become of a model's files before they can be used. */
export interface Conversion {
  /** Why it cannot be made here, with the fix; to be asked before anything is fetched. */
  problem?(): Promise<string | undefined>;
  /** What its owner may want to know of this machine before much is fetched: a sentence. */
  notice?(signal: AbortSignal): Promise<string | undefined>;
  /** What was made of them, if it is on this disk. */
  find(): Promise<Made | undefined>;
  /**
   * Makes it, unless it is there; `onProgress` hears what is being done and its share, 0 to 1, and `say` what is worth a line.
   * Rejects with a `VideoError` or a `WeightsError`, and with the signal's reason once that aborts; then nothing is left of it.
   */
  make(
    stored: Pick<StoredModel, 'files'>,
    onProgress: (step: string, done: number) => void,
    say: (line: string) => void,
    signal: AbortSignal,
  ): Promise<Made>;
  /** The names of the files of what was made that are damaged; reads all of them. */
  damaged?(signal: AbortSignal): Promise<readonly string[]>;
  /** Deletes it; answers the bytes freed. */
  remove(): Promise<number>;
}

/** The conversions of the models that need one, by the models' ids. */
export const conversionsOf = (config: Config): ReadonlyMap<string, Conversion> =>
  new Map([[MUSETALK_MODEL.id, museTalkConversion(config)]]);

function museTalkConversion(config: Config): Conversion {
  const cacheFolder = config.cache.folder;
  const folder = museTalkFolder(cacheFolder);
  const made = async (): Promise<Made> => ({ folder, bytes: await bytesIn(folder) });
  return {
    async problem() {
      if (!(await installedPackages()).ort) {
        return 'MuseTalk is converted and run with ONNX Runtime, which is not installed: run npm install onnxruntime-node.';
      }
      if (await readConverted(folder)) return undefined;
      const sizes = Object.fromEntries(MUSETALK_MODEL.files.map(({ role, bytes }) => [role, { bytes }])) as SourceSizes;
      return makeRoom(dirname(folder), sizes).then(
        () => undefined,
        (error: Error) => error.message,
      );
    },
    async notice(signal) {
      const { gpus } = await probe({ modelsFolder: config.models.folder }, signal);
      return gpus.length > 0 ? undefined : 'No card was found here; on the CPU MuseTalk takes seconds for each frame.';
    },
    find: async () => ((await readConverted(folder)) ? made() : undefined),
    async make({ files }, onProgress, say, signal) {
      const tell = ({ step, done }: { readonly step: string; readonly done: number }) => onProgress(step, done);
      const here = await convert(files as Sources, folder, tell, signal);
      const speed = await speedHere(config, here, signal);
      if (speed !== undefined) say(speed);
      return made();
    },
    async damaged(signal) {
      const here = await readConverted(folder);
      return here ? wrongFiles(here, signal) : [];
    },
    async remove() {
      const bytes = await bytesIn(folder);
      await rm(folder, { recursive: true, force: true });
      await forgetSpeeds(cacheFolder);
      return bytes;
    },
  };
}

/** How quick it is on this machine's card, measured unless that was done before, in a sentence; nothing where there is none. */
async function speedHere(config: Config, here: Converted, signal: AbortSignal): Promise<string | undefined> {
  const [card] = (await probe({ modelsFolder: config.models.folder }, signal)).gpus;
  if (!card) return undefined;
  const known = speedOn(await readSpeeds(config.cache.folder), here.version, card);
  if (known) return `${speedText(known)}.`;
  const { speed, problems } = await measureMuseTalk(config, here, card, { device: 'auto', gpu: 0 }, signal);
  return speed ? `${speedText(speed)}.` : `MuseTalk does not run on ${card.name}: ${problems[0]}`;
}

async function bytesIn(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
