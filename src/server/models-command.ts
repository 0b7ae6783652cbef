import { type Config, ConfigError } from './config.ts';
import { type Conversion, conversionsOf } from './conversions.ts';
import { convertPulled } from './convert-pulled.ts';
import { listModels } from './list-models.ts';
import { MODELS } from './models/manifest.ts';
import type { ModelEntry } from './models/model-entry.ts';
import { ModelStoreError } from './models/model-store-error.ts';
import { ModelStore } from './models/store.ts';
import { nearest } from './nearest.ts';
import { megabytes, type Screen, showDownload } from './show-download.ts';
import { checkLines, type ModelCheck, verifyOne } from './verify-one.ts';

export type ModelsContext = {
  readonly config: Config;
  readonly json: boolean;
  /** The models that this machine would use, for `pull` without ids and to mark them in the list. */
  readonly planned?: (signal: AbortSignal) => Promise<readonly ModelEntry[]>;
  /** What there is to choose from; the manifest, if left out. */
  readonly models?: readonly ModelEntry[];
  /** What has to become of some of them, by their ids; the real thing, if left out. */
  readonly conversions?: ReadonlyMap<string, Conversion>;
  /** Where the answer goes, and where progress is shown. */
  readonly output?: Screen;
  readonly screen?: Screen;
};

type Ready = Required<Omit<ModelsContext, 'planned' | 'models'>> & {
  readonly planned: ModelsContext['planned'];
  readonly all: readonly ModelEntry[];
  readonly store: ModelStore;
  readonly print: (line: string) => void;
  /** What is kept of what is being done, should it be stopped now. */
  kept: string;
};

/**
 * `voice-chat models [list | pull ID… | verify [ID…] | remove ID…]`; answers the exit code: 0 fine, 1 it did not work. Throws
 * `ConfigError` for a command or an id that does not exist, and `ModelStoreError`. Only `pull` asks the network.
 */
export async function modelsCommand(
  args: readonly string[],
  context: ModelsContext,
  signal: AbortSignal,
): Promise<number> {
  const { config, json, planned, models: all = MODELS, output = process.stdout, screen = process.stderr } = context;
  const log = (line: string) => void screen.write(`${line}\n`);
  const store = new ModelStore({ ...config.models, log });
  const print = (line: string) => void output.write(`${line}\n`);
  const { conversions = conversionsOf(config) } = context;
  const kept = 'What came is kept: pull again to go on from there.';
  const ready: Ready = { config, json, planned, all, conversions, output, screen, store, print, kept };
  const [action = 'list', ...ids] = args;
  if (action === 'list' && ids.length > 0) throw new ConfigError(`What is "${ids.join(' ')}"? See voice-chat --help.`);
  try {
    return await run(action, ids, ready, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    screen.write(action === 'pull' ? `Stopped. ${ready.kept}\n` : 'Stopped.\n');
    return 1;
  }
}

async function run(action: string, ids: readonly string[], ready: Ready, signal: AbortSignal): Promise<number> {
  switch (action) {
    case 'list':
      return list(ready, signal);
    case 'pull':
      return pull(ready, ids, signal);
    case 'verify':
      return verify(ready, ids, signal);
    case 'remove':
      return remove(ready, ids);
    default:
      throw new ConfigError(`There is no command "models ${action}"; there are list, pull, verify and remove.`);
  }
}

async function list(ready: Ready, signal: AbortSignal): Promise<number> {
  const { config, json, planned, all, conversions, store, print } = ready;
  const needed = new Set((await planned?.(signal))?.map(({ id }) => id));
  const { models, table } = await listModels(all, needed, store, conversions, config.cache.folder);
  if (json) print(JSON.stringify({ models }));
  else for (const line of table) print(line);
  return 0;
}

async function pull(ready: Ready, ids: readonly string[], signal: AbortSignal): Promise<number> {
  const { config, json, planned, all, conversions, screen, store, print } = ready;
  if (ids.length === 0 && !planned) throw new ConfigError('Name the models to pull; voice-chat models lists them.');
  const entries = ids.length > 0 ? chosen(all, ids) : await planned!(signal);
  for (const { id } of entries) {
    const problem = await conversions.get(id)?.problem?.();
    if (problem !== undefined) throw new ModelStoreError(problem);
  }
  for (const { id } of entries) {
    const conversion = conversions.get(id);
    const notice = (await conversion?.find()) ? undefined : await conversion?.notice?.(signal);
    if (notice !== undefined) screen.write(`${notice}\n`);
  }
  const found = await Promise.all(entries.map((entry) => store.find(entry)));
  // Said at once: a download would first try again and again.
  const outOfReach = found.every((one) => one) ? undefined : await store.reachable(signal);
  if (outOfReach !== undefined) {
    const fix = config.models.offline
      ? 'Set it to false to fetch models.'
      : 'Look at the network, and at models.hub in config.yml.';
    throw new ModelStoreError(`${outOfReach} ${fix}`);
  }
  const { bytes, files } = await store.missing(entries, signal);
  if (files > 0 && !config.models.offline) {
    screen.write(
      `${megabytes(bytes)} in ${files} ${files === 1 ? 'file' : 'files'} to download into ${config.models.folder}.\n`,
    );
  }
  const shown = showDownload(screen);
  const stored = await store.pull(entries, shown.show, signal).finally(() => shown.end());
  const here = [];
  for (const model of stored) {
    const { entry, folder, bytes } = model;
    const conversion = conversions.get(entry.id);
    if (conversion) ready.kept = 'What was downloaded is kept; pull again to convert it.';
    const made = conversion && (await convertPulled(conversion, model, screen, signal));
    const converted = made && { path: made.folder, bytes: made.bytes };
    here.push({ id: entry.id, path: folder, bytes, ...(converted && { converted }) });
  }
  if (json) print(JSON.stringify({ models: here }));
  else {
    for (const { id, path, converted } of here) {
      print(`${id} is here: ${path}${converted === undefined ? '' : `, converted: ${converted.path}`}`);
    }
  }
  return 0;
}

async function verify(ready: Ready, ids: readonly string[], signal: AbortSignal): Promise<number> {
  const { json, all, conversions, store, print } = ready;
  const found = await Promise.all(all.map((entry) => store.find(entry)));
  const entries = ids.length > 0 ? chosen(all, ids) : all.filter((_, i) => found[i]);
  const results: ModelCheck[] = [];
  for (const entry of entries) {
    const check = await verifyOne(entry, store, conversions.get(entry.id), signal);
    results.push(check);
    if (!json) for (const line of checkLines(check)) print(line);
  }
  if (json) print(JSON.stringify({ models: results.map(({ folder: _, ...check }) => check) }));
  else if (entries.length === 0) print('No model of the list is on this disk.');
  return results.every(({ ok }) => ok) ? 0 : 1;
}

async function remove({ json, all, conversions, store, print }: Ready, ids: readonly string[]): Promise<number> {
  if (ids.length === 0) throw new ConfigError('Name the models to remove; voice-chat models lists them.');
  const entries = chosen(all, ids);
  const others = all.filter((entry) => !entries.includes(entry));
  const stored = await Promise.all(others.map((entry) => store.find(entry)));
  const keep = others.filter((_, i) => stored[i]);
  const freed: { id: string; bytes: number }[] = [];
  for (const entry of entries) {
    const bytes = await store.remove(entry, keep);
    freed.push({ id: entry.id, bytes: bytes + ((await conversions.get(entry.id)?.remove()) ?? 0) });
  }
  if (json) print(JSON.stringify({ models: freed }));
  else for (const { id, bytes } of freed) print(bytes > 0 ? `${id}: ${megabytes(bytes)} freed` : `${id} was not here`);
  return 0;
}

function chosen(all: readonly ModelEntry[], ids: readonly string[]): ModelEntry[] {
  return [...new Set(ids)].map((id) => {
    const entry = all.find((one) => one.id === id);
    if (entry) return entry;
    const near = nearest(
      id,
      all.map((one) => one.id),
    );
    throw new ConfigError(
      `There is no model "${id}"; ${near ? `did you mean ${near}?` : 'voice-chat models lists them.'}`,
    );
  });
}
