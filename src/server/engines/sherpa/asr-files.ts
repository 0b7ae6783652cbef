import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import type { AsrFamily } from '../../models/model-entry.ts';
import { EngineError } from '../contracts.ts';

/** The families that sherpa-onnx recognises with. */
export type SherpaAsrFamily = Exclude<AsrFamily, 'whisper-ggml'>;

/** Files of a model by what they are for, as absolute paths. */
export type FilesByRole = Readonly<Record<string, string>>;

const TRANSDUCER = ['encoder', 'decoder', 'joiner', 'tokens'] as const;

/** The roles that each family must have; Moonshine's are those of its first version, of the second, three. */
export const ASR_ROLES: Readonly<Record<SherpaAsrFamily, readonly string[]>> = {
  zipformer: TRANSDUCER,
  parakeet: TRANSDUCER,
  moonshine: ['preprocess', 'encoder', 'uncachedDecoder', 'cachedDecoder', 'tokens'],
  'whisper-onnx': ['encoder', 'decoder', 'tokens'],
  'sense-voice': ['model', 'tokens'],
};

/** The roles of Moonshine's second version. */
export const MOONSHINE_V2_ROLES: readonly string[] = ['encoder', 'mergedDecoder', 'tokens'];

/** Throws an `EngineError` that names the first file which is not there or is no model at all, and how to get it. */
export async function checkFiles(family: SherpaAsrFamily, files: FilesByRole, model: string): Promise<void> {
  const roles = files.mergedDecoder && family === 'moonshine' ? MOONSHINE_V2_ROLES : ASR_ROLES[family];
  for (const role of roles) {
    const path = files[role];
    if (!path) throw new EngineError('asr', `The ${family} model ${model} has no file for its ${role}.`);
    const problem = await problemOf(path, role);
    if (problem) throw new EngineError('asr', `${basename(path)} (${role} of ${model}) ${problem}`);
  }

  async function problemOf(path: string, role: string): Promise<string | undefined> {
    const start = Buffer.alloc(64);
    try {
      await using file = await open(path);
      const { bytesRead } = await file.read(start, 0, start.length, 0);
      const text = start.toString('latin1', 0, bytesRead);
      const isPointer = /^(version https|<!doctype|<html|\{)/i.test(text);
      // An ONNX file begins with the number of its format, an ORT file with its mark at byte 4.
      const isModel = start[0] === 8 || text.slice(4, 8) === 'ORTM';
      if (bytesRead > 0 && !isPointer && (role === 'tokens' || isModel)) return undefined;
      return `is not a model file: it is damaged or was not downloaded whole. Run: voice-chat models verify ${model}`;
    } catch {
      return `cannot be read at ${path}. Run: voice-chat models pull ${model}`;
    }
  }
}
