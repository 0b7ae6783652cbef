import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type AsrFamily, LANGUAGES, type TtsFamily } from './model-entry.ts';
import { ModelStoreError } from './model-store-error.ts';

/** A model that is in no manifest: a folder of the user's own, described by a `voice-chat.json` in it. */
export type OwnModel = {
  readonly title: string;
  readonly family: AsrFamily | TtsFamily;
  readonly languages: readonly string[];
  /** Where each role's file (or folder) lies. */
  readonly files: Readonly<Record<string, string>>;
};

const DESCRIPTION = 'voice-chat.json';
const FAMILIES = {
  asr: ['zipformer', 'parakeet', 'moonshine', 'whisper-onnx', 'sense-voice'],
  tts: ['kokoro', 'vits', 'matcha', 'kitten'],
} as const satisfies { asr: readonly AsrFamily[]; tts: readonly TtsFamily[] };

/** Whether `model:` in the configuration is a path, not an id. */
export const isPath = (model: string): boolean => /[/\\]|^[.~]|\.(?:gguf|bin)$/.test(model);

/** Reads the description in `folder`; throws a `ModelStoreError` that says what to write there. */
export async function readOwnModel(folder: string, stage: 'asr' | 'tts'): Promise<OwnModel> {
  const file = join(folder, DESCRIPTION);
  const families = FAMILIES[stage];
  const schema = z.strictObject({
    title: z.string().default(folder),
    family: z.enum(families),
    languages: z.array(z.string()).default([...LANGUAGES]),
    files: z.record(z.string(), z.string()),
  });
  const simplest = stage === 'asr' ? 'sense-voice' : 'vits';
  const example = `{ "family": "${simplest}", "files": { "model": "model.onnx", "tokens": "tokens.txt" } }`;
  let described: unknown;
  try {
    described = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    const why = existsSync(file) ? 'is no JSON' : 'does not exist';
    throw new ModelStoreError(`${file} ${why}; it says how to load the model, such as ${example}.`, { cause });
  }
  const parsed = schema.safeParse(described);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    throw new ModelStoreError(
      `${file}: ${path.join('.') || 'the whole'} is wrong (${message}); write ${example}, say.`,
    );
  }
  const { title, family, languages } = parsed.data;
  const files = Object.fromEntries(Object.entries(parsed.data.files).map(([role, name]) => [role, join(folder, name)]));
  const lost = Object.values(files).find((path) => !existsSync(path));
  if (lost) throw new ModelStoreError(`${file} names ${lost}, which does not exist.`);
  return { title, family, languages, files };
}
