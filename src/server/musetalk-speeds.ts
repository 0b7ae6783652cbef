import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Gpu } from './machine/machine.ts';
import { VIDEO_FPS } from './video/contracts.ts';

/** Frames per second that a card must manage for talking: those of a clip. */
export const ENOUGH_FPS = VIDEO_FPS;

/** Where `voice-chat models pull musetalk` converts the networks to. */
export const museTalkFolder = (cacheFolder: string): string => join(cacheFolder, 'musetalk', 'converted');

const speed = z.object({
  /** Of the converted networks. */
  version: z.string(),
  device: z.enum(['cuda', 'webgpu', 'cpu']),
  /** The card and its driver, as the probe of the machine names them. */
  card: z.string(),
  driver: z.string(),
  framesPerSecond: z.number(),
  firstBatchMs: z.number(),
});

/** How quick MuseTalk was on a card of this machine, when it was measured. */
export type MuseTalkSpeed = Readonly<z.infer<typeof speed>>;

const speedsFile = (cacheFolder: string): string => join(cacheFolder, 'musetalk', 'speeds.json');

/** What was measured on this machine; nothing where that was never done. */
export async function readSpeeds(cacheFolder: string): Promise<readonly MuseTalkSpeed[]> {
  try {
    return z.array(speed).parse(JSON.parse(await readFile(speedsFile(cacheFolder), 'utf8')));
  } catch {
    return [];
  }
}

/** Keeps a measurement, in place of an older one of the same networks, device, card and driver. */
export async function keepSpeed(cacheFolder: string, measured: MuseTalkSpeed): Promise<void> {
  const of = ({ version, device, card, driver }: MuseTalkSpeed) => JSON.stringify([version, device, card, driver]);
  const others = (await readSpeeds(cacheFolder)).filter((one) => of(one) !== of(measured));
  const file = speedsFile(cacheFolder);
  await mkdir(join(cacheFolder, 'musetalk'), { recursive: true });
  const scratch = `${file}.${process.pid}`;
  await writeFile(scratch, `${JSON.stringify([...others, measured], undefined, 2)}\n`);
  await rename(scratch, file);
}

/** Forgets all measurements. */
export const forgetSpeeds = (cacheFolder: string): Promise<void> => rm(speedsFile(cacheFolder), { force: true });

/** What a measurement says of the card that it was made on. */
export const cardFacts = ({ name, driver = '' }: Gpu): Pick<MuseTalkSpeed, 'card' | 'driver'> => ({
  card: name,
  driver,
});

/** The newest measurement of these networks on a card with its present driver. */
export const speedOn = (
  speeds: readonly MuseTalkSpeed[],
  version: string,
  { name, driver = '' }: Gpu,
): MuseTalkSpeed | undefined =>
  speeds.findLast(
    (one) => one.version === version && one.device !== 'cpu' && one.card === name && one.driver === driver,
  );
