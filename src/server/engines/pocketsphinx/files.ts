import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type DebianSettings, provideDebianPackages } from '../../models/debian-packages.ts';

/** Where the C libraries (PocketSphinx and what came with it), the acoustic model, dictionary and language model lie. */
export type PocketSphinxFiles = {
  readonly libraries: readonly string[];
  readonly acousticModel: string;
  readonly dictionary: string;
  readonly languageModel: string;
};

/** The Debian packages that bring them. */
export const POCKETSPHINX_PACKAGES = ['libpocketsphinx3', 'pocketsphinx-en-us'] as const;

const MODEL = 'usr/share/pocketsphinx/model/en-us';
const LIBRARY = /^lib(pocketsphinx|sphinxbase|blas|lapack|gfortran|quadmath|openblas)\.so\.\d+$/;

/**
 * Finds PocketSphinx, and fetches it into the cache where it is not installed.
 * Throws `PackagesUnavailable`, whose message says how to get it.
 */
export function providePocketSphinx(settings: DebianSettings, signal: AbortSignal): Promise<PocketSphinxFiles> {
  return provideDebianPackages({ packages: POCKETSPHINX_PACKAGES, locate }, settings, signal);
}

async function locate(roots: readonly string[]): Promise<PocketSphinxFiles | undefined> {
  const libraries = new Map<string, string>();
  let model: string | undefined;
  for (const root of roots) {
    for (const folder of await libraryFolders(join(root, 'usr/lib'))) {
      for (const name of await names(folder)) {
        if (!LIBRARY.test(name) || libraries.has(name)) continue;
        // An installed one is found by the loader itself; only the two we call are named by their path.
        if (root === '/' && !/sphinx/.test(name)) continue;
        libraries.set(name, join(folder, name));
      }
    }
    const folder = join(root, MODEL);
    if (!model && (await stat(join(folder, 'en-us.lm.bin')).catch(() => undefined))) model = folder;
  }
  const files = [...libraries.values()];
  const has = (part: string) => files.some((file) => basename(file).startsWith(part));
  if (!model || !has('libpocketsphinx.so.3') || !has('libsphinxbase.so.3')) return undefined;
  return {
    libraries: files,
    acousticModel: join(model, 'en-us'),
    dictionary: join(model, 'cmudict-en-us.dict'),
    languageModel: join(model, 'en-us.lm.bin'),
  };
}

/** Debian keeps libraries in a folder per architecture, alternatives (BLAS) one deeper. */
async function libraryFolders(base: string): Promise<string[]> {
  const triplet = { x64: 'x86_64', arm64: 'aarch64', arm: 'arm', ia32: 'i386' }[process.arch as string] ?? process.arch;
  const folders = (await names(base)).filter((name) => name.startsWith(`${triplet}-linux`)).map((n) => join(base, n));
  return [...folders, ...folders.flatMap((folder) => [join(folder, 'blas'), join(folder, 'lapack')])];
}

const names = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);
