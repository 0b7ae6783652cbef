import { createHash } from 'node:crypto';
import { mkdir, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { VideoError } from '../../../contracts.ts';
import { ownFolder, removeOrphans } from '../../../own-folder.ts';
import { checkGraphs } from './check-graphs.ts';
import {
  CONVERTER,
  type Converted,
  factsFile,
  readConverted,
  SOURCES,
  type SourceFacts,
  type Sources,
} from './converted.ts';
import { type OnStep, writeGraphs } from './write-graphs.ts';

/** What is written beside the weights: graphs and probes, and room that file systems take for themselves. */
const BESIDE_BYTES = 100_000_000;

/**
 * Makes ONNX graphs of MuseTalk's published files in the folder `into`, and tries them out on the CPU; where that was done
 * with the same files before, nothing. `onProgress` hears the share of each step: speech, parser, pose, face, frame, check.
 * Rejects with a `VideoError` or `WeightsError`, or with the signal's reason once it aborts; what was in `into` then stays.
 */
export async function convert(
  sources: Sources,
  into: string,
  onProgress: OnStep,
  signal: AbortSignal,
): Promise<Converted> {
  signal.throwIfAborted();
  const facts = await factsOf(sources);
  const known = await readConverted(into);
  if (known && JSON.stringify(known.sources) === JSON.stringify(facts)) return known;
  const above = dirname(into);
  await mkdir(above, { recursive: true });
  await removeOrphans(above);
  await refuseFullDisk(above, facts);
  const folder = await ownFolder(above);
  try {
    const written = await writeGraphs(sources, folder, onProgress, signal);
    const checked = await checkGraphs(folder, onProgress, signal);
    const all = JSON.stringify([CONVERTER, facts]);
    const version = createHash('sha256').update(all).digest('hex').slice(0, 16);
    const result = { converter: CONVERTER, version, ...written, ...checked, sources: facts };
    await writeFile(factsFile(folder), JSON.stringify(result, null, 2));
    signal.throwIfAborted();
    await rm(into, { recursive: true, force: true });
    await rename(folder, into);
    const { converter: _, ...made } = result;
    return { ...made, folder: into };
  } catch (cause) {
    await rm(folder, { recursive: true, force: true });
    if ((cause as NodeJS.ErrnoException).code === 'ENOSPC') throw noRoom(above, bytesNeeded(facts), 0, cause);
    throw cause;
  }
}

async function factsOf(sources: Sources): Promise<Record<keyof Sources, SourceFacts>> {
  const entries = SOURCES.map(async (name) => {
    const file = sources[name];
    const { size, mtimeMs } = await stat(file).catch((cause) => {
      throw new VideoError(`${file} cannot be read; run voice-chat models pull musetalk.`, { cause });
    });
    return [name, { bytes: size, modifiedMs: Math.round(mtimeMs) }] as const;
  });
  return Object.fromEntries(await Promise.all(entries)) as Record<keyof Sources, SourceFacts>;
}

/** The UNet is kept with half its bits, and the autoencoder's encoder with all of them. */
const bytesNeeded = ({ unet, vae, whisper, parser, pose }: Record<keyof Sources, SourceFacts>): number =>
  0.52 * unet.bytes + vae.bytes + whisper.bytes + parser.bytes + pose.bytes + BESIDE_BYTES;

async function refuseFullDisk(folder: string, facts: Record<keyof Sources, SourceFacts>): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const needed = bytesNeeded(facts);
  if (bavail * bsize < needed) throw noRoom(folder, needed, bavail * bsize);
}

function noRoom(folder: string, needed: number, free: number, cause?: unknown): VideoError {
  const gb = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  const message = `Converting MuseTalk takes ${gb(needed)} on the disk of ${folder} and ${gb(free)} are free; free some, or set cache.folder to another disk.`;
  return new VideoError(message, { cause });
}
