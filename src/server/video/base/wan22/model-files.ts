import { statSync } from 'node:fs';
import { isIgnoredInBase, WAN22_BASE_REPO, WAN22_MODELS } from '../../../models/manifest-video.ts';
import type { Wan22Model } from '../../../models/model-entry.ts';
import { ModelStoreError } from '../../../models/model-store-error.ts';
import type { ModelStore } from '../../../models/store.ts';
import { VideoError } from '../../contracts.ts';
import type { Wan22Files, Wan22Settings, Weights } from './settings.ts';

/** What is asked of the model store. */
export type Wan22Store = Pick<ModelStore, 'find' | 'missing' | 'pull'>;

type Own = Pick<Wan22Settings, 'baseModel' | 'highNoise' | 'lowNoise'>;

/** The parts of a model that are to come from the hub; undefined where the user has named all of them. */
export function wantedFromHub({ baseModel, highNoise, lowNoise }: Own, weights: Weights): Wan22Model | undefined {
  const model = WAN22_MODELS.find((one) => one.weights === weights)!;
  const isOwn: Readonly<Record<string, boolean>> = {
    base: baseModel !== '',
    'high-noise': highNoise !== '',
    'low-noise': lowNoise !== '',
  };
  const files = model.files.filter(({ role, path }) => !isOwn[role] && !(role === 'base' && isIgnoredInBase(path)));
  if (files.length === 0) return undefined;
  const own = model.files.filter(({ role }) => isOwn[role]);
  const experts = own.filter(({ role }) => role !== 'base').length;
  const expertBytes = (model.totalBytes - sizeOfBase(model)) / 2;
  const without = experts * expertBytes + (isOwn.base ? sizeOfBase(model) : 0);
  return { ...model, files, totalBytes: Math.max(0, model.totalBytes - without) };
}

const sizeOfBase = (model: Wan22Model): number =>
  model.files.reduce((sum, { role, bytes = 0 }) => sum + (role === 'base' ? bytes : 0), 0);

/**
 * The models' places: the user's own, or the hub's, which are fetched if need be, having said how much that is; `onProgress`
 * hears the share that is done. Throws a `VideoError` that names the fix.
 */
export async function wan22Files(
  settings: Own,
  weights: Weights,
  store: Wan22Store,
  say: (line: string) => void,
  onProgress: (done: number) => void,
  signal: AbortSignal,
): Promise<Wan22Files> {
  const wanted = wantedFromHub(settings, weights);
  const files = wanted ? await fetched(wanted, store, say, onProgress, signal) : {};
  return {
    base: settings.baseModel || files.base!,
    highNoise: settings.highNoise || files['high-noise']!,
    lowNoise: settings.lowNoise || files['low-noise']!,
  };
}

async function fetched(
  entry: Wan22Model,
  store: Wan22Store,
  say: (line: string) => void,
  onProgress: (done: number) => void,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  try {
    const { bytes, files } = await store.missing([entry], signal);
    if (files > 0) say(`${(bytes / 1e9).toFixed(1)} GB in ${files} files to download: ${entry.id}`);
    const [stored] = await store.pull(
      [entry],
      ({ bytes: done, totalBytes }) => onProgress(totalBytes > 0 ? done / totalBytes : 0),
      signal,
    );
    return stored!.files;
  } catch (error) {
    if (signal.aborted || !(error instanceof ModelStoreError)) throw error;
    throw new VideoError(
      `${error.message} Where the hub can be reached, voice-chat models pull ${entry.id} fetches Wan2.2 (from ${entry.repo} and ${WAN22_BASE_REPO}).`,
      { cause: error },
    );
  }
}

/** What tells these models from any others, for cache keys: repositories and names, or paths with size and date. */
export function identityOf(settings: Own & Pick<Wan22Settings, 'loras'>, weights: Weights | undefined): unknown {
  const wanted = weights === undefined ? undefined : wantedFromHub(settings, weights);
  const own = [settings.baseModel, settings.highNoise, settings.lowNoise].filter((path) => path !== '');
  return {
    hub: wanted?.files.map(({ repo = wanted.repo, path }) => `${repo}/${path}`),
    own: own.map(fingerprint),
    loras: settings.loras.map(({ target, path, strength }) => [target, fingerprint(path), strength]),
  };
}

function fingerprint(path: string): unknown {
  try {
    const { size, mtimeMs } = statSync(path);
    return [path, size, mtimeMs];
  } catch {
    return [path];
  }
}
