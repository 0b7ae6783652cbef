import type { Conversion } from './conversions.ts';
import { embeddedModels } from './embedded-models.ts';
import type { ModelEntry } from './models/model-entry.ts';
import type { ModelStore } from './models/store.ts';
import { megabytes } from './show-download.ts';

/** Every model of `all` and what the embedded engines need, as data and as a table; `needed` are ids that this machine would use. */
export async function listModels(
  all: readonly ModelEntry[],
  needed: ReadonlySet<string>,
  store: ModelStore,
  conversions: ReadonlyMap<string, Conversion>,
  cacheFolder: string,
): Promise<{ readonly models: readonly object[]; readonly table: readonly string[] }> {
  const neural = await Promise.all(
    all.map(async (entry) => {
      const { stage, id, title, languages, licence, repo: source } = entry;
      const stored = await store.find(entry);
      const place = { bytes: stored?.bytes ?? entry.totalBytes, path: stored?.folder, onDisk: stored !== undefined };
      const conversion = conversions.get(id);
      const made = await conversion?.find();
      const converted = made ? { path: made.folder, bytes: made.bytes } : null;
      const own = { ...place, needed: needed.has(id), ...(conversion && { converted }) };
      return { stage, id, title, source, languages, licence, ...own };
    }),
  );
  const found = await embeddedModels(cacheFolder);
  const embedded = found.map((model) => ({ ...model, onDisk: model.path !== undefined }));
  const table = aligned([
    ['stage', 'id', 'title', 'languages', 'licence', 'size', 'on this disk'],
    ...neural.map(({ stage, id, title, languages, licence, bytes, path, needed, converted }) => {
      const pull = `voice-chat models pull ${id}`;
      const files = path ?? (needed ? `not here, but needed; ${pull}` : '-');
      const toConvert = path !== undefined && converted === null ? `, not converted; ${pull}` : '';
      const where = `${files}${converted ? `, converted: ${converted.path}` : toConvert}`;
      return [stage, id, title, languages.join(' '), licence, megabytes(bytes), where];
    }),
    ...embedded.map(({ stage, title, licence, bytes, path }) => {
      const size = bytes === undefined ? '' : megabytes(bytes);
      return [stage, '(embedded)', title, 'en', licence, size, path ?? 'not here; npm start fetches it'];
    }),
  ]);
  return { models: [...neural, ...embedded], table };
}

/** The columns side by side; the last one as long as it is. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows.map((row) => row.map((cell, i) => (i < row.length - 1 ? cell.padEnd(widths[i]!) : cell)).join('  '));
}
