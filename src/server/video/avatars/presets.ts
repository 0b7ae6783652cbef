import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Face } from '../contracts.ts';

/** A face that comes with the project, drawn by scripts/draw-avatars.mjs. */
export type Preset = { readonly key: string; readonly name: string; readonly png: Uint8Array; readonly face: Face };

const FOLDER = new URL('./presets/', import.meta.url);
const FIRST = 'mara';

/** All of them, the one for the first start first. */
export async function readPresets(): Promise<Preset[]> {
  const files = await readdir(fileURLToPath(FOLDER));
  const keys = files.filter((file) => file.endsWith('.json')).map((file) => file.slice(0, -'.json'.length));
  keys.sort((a, b) => Number(b === FIRST) - Number(a === FIRST) || a.localeCompare(b));
  return Promise.all(
    keys.map(async (key) => {
      const [json, png] = await Promise.all([
        readFile(new URL(`${key}.json`, FOLDER), 'utf8'),
        readFile(new URL(`${key}.png`, FOLDER)),
      ]);
      return { key, png, ...(JSON.parse(json) as { name: string; face: Face }) };
    }),
  );
}
