import { readFile, stat } from 'node:fs/promises';
import { EngineError } from '../contracts.ts';
import { onnxMetadata } from '../onnx/metadata.ts';
import type { NumberedVoice } from '../voices/chosen-voice.ts';
import { kokoroNames, voicesFor } from '../voices/kokoro-voices.ts';

/** The files that Kokoro is made of here. */
export type KokoroFiles = {
  readonly model: string;
  readonly voices: string;
  readonly tokens: string;
  readonly lexicon: string;
};

/** The error for a file that is not what it should be; `how` goes on after its name. */
export const brokenFile = (file: string, how: string, cause?: unknown) =>
  new EngineError('tts', `The file ${file} ${how}; run voice-chat models verify to find and mend broken files.`, {
    cause,
  });

/** Picks the files by their roles and sees that they are there; throws an `EngineError`. */
export async function checkedFiles(files: Readonly<Record<string, string>>): Promise<KokoroFiles> {
  const lexicon = files['lexicon-us'] ?? Object.entries(files).find(([role]) => role.startsWith('lexicon'))?.[1];
  const { model, voices, tokens } = files;
  if (!model || !voices || !tokens || !lexicon) {
    const message =
      'The engine kokoro needs a model of version 1.0 with its voices, tokens and lexicon; choose one in tts.model.';
    throw new EngineError('tts', message);
  }
  for (const file of [model, voices, tokens, lexicon]) {
    const found = await stat(file).catch(() => undefined);
    if (!found?.size) throw brokenFile(file, found ? 'is empty' : 'is missing');
  }
  return { model, voices, tokens, lexicon };
}

/** The styles of all voices: one for every number of tokens. */
export type Styles = {
  readonly rate: number;
  readonly rows: number;
  readonly voices: readonly NumberedVoice[];
  of(voice: number, tokens: number): Float32Array;
};

/** The styles in `voices.bin`, as the model's notes describe it; throws an `EngineError` where both do not fit. */
export async function readStyles(files: KokoroFiles, given: readonly string[] | undefined): Promise<Styles> {
  const notes = await onnxMetadata(files.model).catch((cause) => {
    throw brokenFile(files.model, 'is broken', cause);
  });
  const [rows = 0, , width = 0] = (notes.get('style_dim') ?? '').split(',').map(Number);
  const speakers = Number(notes.get('n_speakers'));
  const rate = Number(notes.get('sample_rate'));
  if (!(rows > 1 && width > 0 && speakers > 0 && rate > 0))
    throw brokenFile(files.model, 'is no Kokoro model for sherpa-onnx');
  const bytes = await readFile(files.voices);
  const expected = rows * width * speakers * 4;
  if (bytes.length !== expected) throw brokenFile(files.voices, `has ${bytes.length} bytes instead of ${expected}`);
  const own = notes.get('speaker_names')?.split(',');
  const names = given ?? own ?? kokoroNames(speakers) ?? [];
  if (names.length !== speakers) {
    throw new EngineError('tts', `The model ${files.model} has ${speakers} voices, but ${names.length} names.`);
  }
  const all = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  return {
    rate,
    rows,
    voices: voicesFor(names, 'en'),
    of: (voice, tokens) => all.subarray((voice * rows + tokens) * width, (voice * rows + tokens + 1) * width),
  };
}
