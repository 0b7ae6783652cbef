import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sentences } from '../builtin/sentences.ts';
import { nGramModel } from './n-gram-model.ts';

/** Where the build puts the language model of the built-in brain. */
export const BUILTIN_MODEL = new URL('./builtin.arpa', import.meta.url);

/** Writes the language model of the sentences that the built-in brain understands (about 1.5 MB, 1 to 2 s). */
export async function buildLanguageModel(file: URL | string = BUILTIN_MODEL): Promise<void> {
  await writeFile(file, nGramModel(sentences()));
}

/** Gives `use` the path of the language model, made on the spot where it was not built. */
export async function withBuiltinModel<T>(use: (file: string) => T): Promise<T> {
  if (existsSync(BUILTIN_MODEL)) return use(fileURLToPath(BUILTIN_MODEL));
  const folder = await mkdtemp(join(tmpdir(), 'voice-chat-language-model-'));
  try {
    const file = join(folder, 'builtin.arpa');
    await buildLanguageModel(file);
    return use(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
