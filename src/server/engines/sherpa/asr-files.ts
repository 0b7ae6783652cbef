import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { mend } from '../../models/mend.ts';
import type { AsrFamily } from '../../models/model-entry.ts';
import { EngineError } from '../contracts.ts';
import { onnxMetadata } from '../onnx/metadata.ts';

/** The families that sherpa-onnx recognises with. */
export type SherpaAsrFamily = Exclude<AsrFamily, 'whisper-ggml'>;

/** Files of a model by what they are for, as absolute paths. */
export type FilesByRole = Readonly<Record<string, string>>;

const TRANSDUCER = ['encoder', 'decoder', 'joiner', 'tokens'] as const;

/** The roles that each family must have; Moonshine's are those of its first version. */
export const ASR_ROLES: Readonly<Record<SherpaAsrFamily, readonly string[]>> = {
  zipformer: TRANSDUCER,
  parakeet: TRANSDUCER,
  moonshine: ['preprocess', 'encoder', 'uncachedDecoder', 'cachedDecoder', 'tokens'],
  'whisper-onnx': ['encoder', 'decoder', 'tokens'],
  'sense-voice': ['model', 'tokens'],
};

/** The roles of Moonshine's second version. */
const MOONSHINE_V2_ROLES: readonly string[] = ['encoder', 'mergedDecoder', 'tokens'];

/** Notes without which sherpa-onnx ends the whole process: in the role they are read from. */
const NOTES: Readonly<Partial<Record<SherpaAsrFamily, Readonly<Record<string, readonly string[]>>>>> = {
  zipformer: { encoder: ['model_type', 'decode_chunk_len', 'T'], decoder: ['vocab_size', 'context_size'] },
  parakeet: { encoder: ['vocab_size', 'subsampling_factor', 'pred_rnn_layers', 'pred_hidden'] },
  'whisper-onnx': { encoder: ['n_mels', 'n_text_layer', 'n_text_ctx', 'sot_sequence'] },
  'sense-voice': { model: ['vocab_size', 'lfr_window_size', 'neg_mean', 'lang_auto'] },
};

/** Throws an `EngineError` that names the first file which is not there or is not what it should be, and how to get it. */
export async function checkFiles(family: SherpaAsrFamily, files: FilesByRole, model: string): Promise<void> {
  const roles = files.mergedDecoder && family === 'moonshine' ? MOONSHINE_V2_ROLES : ASR_ROLES[family];
  for (const role of roles) {
    const path = files[role];
    if (!path)
      throw new EngineError(
        'asr',
        `The ${family} model ${model} has no file for its ${role}. ${mend(model, 'verify')}`,
      );
    const start = await beginning(path);
    const fail = (what: string, how: 'pull' | 'verify', cause?: unknown): never => {
      throw new EngineError('asr', `${basename(path)} (${role} of ${model}) ${what}. ${mend(model, how)}`, {
        cause,
      });
    };
    if (start === undefined) fail(`cannot be read at ${path}`, 'pull');
    else if (start === '' || isPage(start)) fail('is damaged or was not downloaded whole', 'verify');
    else if (role !== 'tokens' && start.slice(4, 8) !== ORT_MARK) {
      const notes = await onnxMetadata(path).catch((cause) =>
        fail('is damaged or was not downloaded whole', 'verify', cause),
      );
      const missing = NOTES[family]?.[role]?.find((note) => !notes.has(note));
      if (missing) fail(`is not of a ${family} model for sherpa-onnx: it does not say its ${missing}`, 'verify');
    }
  }
}

/** At byte 4 of models in onnxruntime's own format. */
const ORT_MARK = 'ORTM';

/** A pointer to a file, a page or a message in place of the file. */
const isPage = (start: string) => /^(version https|<!doctype|<html|\{)/i.test(start);

async function beginning(path: string): Promise<string | undefined> {
  try {
    await using file = await open(path);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(64), 0, 64, 0);
    return buffer.toString('latin1', 0, bytesRead);
  } catch {
    return undefined;
  }
}
