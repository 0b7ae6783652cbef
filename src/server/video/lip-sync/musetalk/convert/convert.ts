import { createHash } from 'node:crypto';
import { rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { VideoError } from '../../../contracts.ts';
import { ownFolder, putFolder, removeOrphans } from '../../../own-folder.ts';
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
import { fileFacts } from './file-facts.ts';
import { makeRoom, noRoom } from './room.ts';
import { type OnStep, writeGraphs } from './write-graphs.ts';

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
  await removeOrphans(above);
  await makeRoom(above, facts);
  const folder = await ownFolder(above);
  try {
    const written = await writeGraphs(sources, folder, onProgress, signal);
    const checked = await checkGraphs(folder, onProgress, signal);
    const all = JSON.stringify([CONVERTER, facts]);
    const version = createHash('sha256').update(all).digest('hex').slice(0, 16);
    const files = await fileFacts(folder, signal);
    const result = { converter: CONVERTER, version, ...written, ...checked, sources: facts, files };
    await writeFile(factsFile(folder), JSON.stringify(result, null, 2));
    signal.throwIfAborted();
    await putFolder(folder, into);
    const { converter: _, ...made } = result;
    return { ...made, folder: into };
  } catch (cause) {
    await rm(folder, { recursive: true, force: true });
    if ((cause as NodeJS.ErrnoException).code === 'ENOSPC') throw noRoom(above, facts, 0, cause);
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
