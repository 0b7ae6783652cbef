import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Language, TtsFamily } from '../../models/model-entry.ts';
import { EngineError } from '../contracts.ts';
import { onnxMetadata } from '../onnx/metadata.ts';

/** The files of a model by what they are for: absolute paths; `espeak` is a folder. */
export type TtsFiles = Readonly<Record<string, string>>;

/** What a model says of itself. */
export type TtsFacts = { readonly rate: number; readonly speakers: number; readonly names: readonly string[] };

const NEEDED: Readonly<Record<TtsFamily, readonly string[]>> = {
  kokoro: ['model', 'voices', 'tokens', 'espeak'],
  kitten: ['model', 'voices', 'tokens', 'espeak'],
  vits: ['model', 'tokens'],
  matcha: ['model', 'vocoder', 'tokens'],
};
/** Notes without which the native code ends the process instead of failing. */
const NOTES: Readonly<Record<TtsFamily, readonly string[]>> = {
  kokoro: ['sample_rate', 'n_speakers', 'has_espeak', 'style_dim'],
  kitten: ['sample_rate', 'n_speakers', 'has_espeak', 'style_dim', 'model_type'],
  vits: ['sample_rate', 'n_speakers', 'language', 'comment'],
  matcha: ['sample_rate', 'n_speakers'],
};
const ESPEAK = ['phontab', 'phonindex', 'phondata', 'intonations'];

const wrong = (what: string, cause?: unknown) =>
  new EngineError('tts', `${what}; run voice-chat models verify to find and mend broken files.`, { cause });

/** Looks at all files before native code does, which ends the process over a broken one; throws an `EngineError`. */
export async function checkTtsFiles(family: TtsFamily, files: TtsFiles): Promise<TtsFacts> {
  for (const role of NEEDED[family]) {
    if (!files[role]) {
      throw new EngineError('tts', `A ${family} model needs a file for ${role}, which the model does not name.`);
    }
  }
  if (!files.espeak && !roles(files, 'lexicon')) {
    throw new EngineError('tts', `A ${family} model needs espeak or a lexicon, and the model names neither.`);
  }
  for (const [role, path] of Object.entries(files)) {
    for (const file of role === 'espeak' ? ESPEAK.map((name) => join(path, name)) : [path]) {
      const found = await stat(file).catch(() => undefined);
      if (!found) throw wrong(`The file ${file} is missing`);
      if (found.size === 0) throw wrong(`The file ${file} is empty`);
    }
  }
  await checkTokens(files.tokens!);
  if (files.vocoder && !(await notesOf(files.vocoder)).has('model_type')) {
    throw wrong(`The file ${files.vocoder} is no vocoder that sherpa-onnx knows`);
  }
  const notes = await notesOf(files.model!);
  const missing = NOTES[family].filter((note) => !notes.has(note));
  if (missing.length > 0) {
    throw wrong(
      `The file ${files.model} is no ${family} model for sherpa-onnx (it does not say its ${missing.join(', ')})`,
    );
  }
  const speakers = Math.max(1, Number(notes.get('n_speakers')));
  if (files.voices) await checkVoices(files.voices, notes.get('style_dim') ?? '', speakers);
  const names = (notes.get('speaker_names') ?? '').split(',').filter((name) => name !== '');
  return { rate: Number(notes.get('sample_rate')), speakers, names: names.length === speakers ? names : [] };
}

async function notesOf(file: string): Promise<ReadonlyMap<string, string>> {
  try {
    return await onnxMetadata(file);
  } catch (cause) {
    throw wrong(`The file ${file} is broken`, cause);
  }
}

async function checkTokens(file: string): Promise<void> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line.trim() !== '');
  if (!lines.every((line) => /^\S*\s+\d+\s*$/.test(line))) throw wrong(`The file ${file} is no list of tokens`);
}

async function checkVoices(file: string, shape: string, speakers: number): Promise<void> {
  const bytes = shape.split(',').reduce((product, size) => product * Number(size), 4) * speakers;
  const { size } = await stat(file);
  if (size !== bytes) throw wrong(`The file ${file} has ${size} bytes instead of the ${bytes} that its model needs`);
}

/** The paths of all roles that begin so, as sherpa-onnx takes several files; undefined when there are none. */
function roles(files: TtsFiles, start: string): string | undefined {
  const paths = Object.keys(files)
    .filter((role) => role.startsWith(start))
    .map((role) => files[role]!);
  return paths.length > 0 ? paths.join(',') : undefined;
}

/**
 * The Chinese characters that a model has sounds for; undefined where espeak-ng says them. Kokoro never asks espeak-ng: of
 * Japanese it says kana only, unless a lexicon has more.
 */
export async function knownHan(family: TtsFamily, files: TtsFiles): Promise<ReadonlySet<string> | undefined> {
  if (family !== 'kokoro' && files.espeak) return undefined;
  const known = new Set<string>();
  for (const path of roles(files, 'lexicon')?.split(',') ?? []) {
    for (const [, character] of (await readFile(path, 'utf8')).matchAll(/^(\p{Script=Han})\s/gmu))
      known.add(character!);
  }
  return known;
}

/** The configuration of sherpa-onnx's `OfflineTts` for these files. */
export function sherpaTtsConfig(family: TtsFamily, files: TtsFiles, language: Language, threads: number): object {
  const lexicon = roles(files, 'lexicon');
  const common = { tokens: files.tokens, dataDir: files.espeak, lexicon, dictDir: files.dict };
  const model = {
    kokoro: { ...common, model: files.model, voices: files.voices, lang: kokoroLanguage(language, lexicon) },
    kitten: { model: files.model, voices: files.voices, tokens: files.tokens, dataDir: files.espeak },
    vits: { ...common, model: files.model },
    matcha: { ...common, acousticModel: files.model, vocoder: files.vocoder },
  }[family];
  return {
    model: { [family]: defined(model), numThreads: threads, provider: 'cpu', debug: false },
    maxNumSentences: 1,
    ...defined({ ruleFsts: roles(files, 'rule-fst'), ruleFars: roles(files, 'rule-far') }),
  };
}

/** A language named here is spoken by espeak-ng's rules; the lexicons, which are for English and Chinese, are better. */
function kokoroLanguage(language: Language, lexicon: string | undefined): string | undefined {
  if (lexicon && (language === 'en' || language === 'zh')) return undefined;
  return { en: 'en-us', zh: 'cmn', de: 'de', fr: 'fr', es: 'es', ja: 'ja' }[language];
}

const defined = (values: object) =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
