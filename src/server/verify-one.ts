import type { Conversion } from './conversions.ts';
import type { ModelEntry } from './models/model-entry.ts';
import type { ModelStore } from './models/store.ts';
import type { FileCheck } from './models/store-verify.ts';

/** What was found out about a model and, where it has to be converted, about what was made of it. */
export type ModelCheck = {
  readonly id: string;
  readonly ok: boolean;
  readonly files: readonly FileCheck[];
  readonly converted?: boolean;
  /** The names of converted files that are damaged, and the folder that they lie in. */
  readonly damaged?: readonly string[];
  readonly folder?: string;
};

/** Reads every file of a model, published and converted ones. */
export async function verifyOne(
  entry: ModelEntry,
  store: ModelStore,
  conversion: Conversion | undefined,
  signal: AbortSignal,
): Promise<ModelCheck> {
  const { id } = entry;
  const files = await store.verify(entry, signal);
  const isRight = !files.some(isBad);
  if (!conversion) return { id, ok: isRight, files };
  const made = await conversion.find();
  if (!made) return { id, ok: false, files, converted: false };
  const damaged = (await conversion.damaged?.(signal)) ?? [];
  return { id, ok: isRight && damaged.length === 0, files, converted: true, damaged, folder: made.folder };
}

/** The same for people, with the mending. */
export function checkLines({ id, files, converted, damaged = [], folder }: ModelCheck): string[] {
  const pull = `voice-chat models pull ${id}`;
  const bad = files.filter(isBad);
  if (bad.length === files.length && bad.every(({ state }) => state === 'missing')) return [`${id}: not here; ${pull}`];
  if (bad.length > 0) {
    const lines = bad.map(({ path, state, why }) => `${id}: ${path} is ${state}${why ? `: ${why}` : ''}`);
    return [...lines, `${id}: mend it with: voice-chat models remove ${id} && ${pull}`];
  }
  if (converted === false) return [`${id}: not converted; ${pull}`];
  if (damaged.length > 0) {
    const lines = damaged.map((name) => `${id}: converted ${name} is wrong: its checksum is wrong`);
    return [...lines, `${id}: mend it with: delete ${folder}, then ${pull}, which fetches nothing`];
  }
  const unchecked = files.filter(({ state }) => state === 'unchecked').length;
  const note = unchecked > 0 ? `; no checksum is known of ${unchecked}` : '';
  return [`${id}: ${files.length} ${files.length === 1 ? 'file' : 'files'} right${note}`];
}

const isBad = ({ state }: FileCheck): boolean => state === 'wrong' || state === 'missing';
