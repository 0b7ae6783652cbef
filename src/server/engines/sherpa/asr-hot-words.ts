import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EngineError } from '../contracts.ts';
import type { FilesByRole } from './asr-files.ts';
import { sentencePieces } from './sentence-pieces.ts';

/** What the recogniser's configuration needs for hot words, and what is to be done with it once it was read. */
export type HotWords = { readonly config: object; readonly model: object; readonly loaded: () => Promise<void> };

const NONE: HotWords = { config: {}, model: {}, loaded: async () => {} };

/**
 * Words that a streaming transducer is to prefer. Their pieces come from the model's `bpe` file (SentencePiece), except for words
 * written in Chinese characters, each of which is a token. Throws an `EngineError` where that cannot be.
 */
export async function hotWords(
  words: readonly string[],
  files: FilesByRole,
  tokens: string,
  capitalsOnly: boolean,
): Promise<HotWords> {
  const lines = words.map((word) => word.trim().replace(/\s+/g, ' ')).filter(Boolean);
  if (lines.length === 0) return NONE;
  const odd = lines.find((line) => /(^|\s)[:#@]/.test(line) || line.includes('/'));
  if (odd)
    throw new EngineError('asr', `The hot word "${odd}" has a sign that hot words cannot have; write it in letters.`);
  const hanOnly = lines.every((line) => /^[\p{Script=Han}\s]+$/u.test(line));
  const hotwordsBuf = lines.map((line) => (capitalsOnly ? line.toUpperCase() : line)).join('\n');
  const config = {
    decodingMethod: 'modified_beam_search',
    maxActivePaths: 4,
    hotwordsScore: 1.5,
    hotwordsBuf,
    hotwordsBufSize: Buffer.byteLength(hotwordsBuf),
  };
  checkLetters(hotwordsBuf, tokens);
  if (hanOnly) return { ...NONE, config, model: { modelingUnit: 'cjkchar' } };
  if (!files.bpe) {
    const message = 'This speech model came without the pieces of words (its bpe file) that hot words are made of;';
    throw new EngineError('asr', `${message} take another model, or leave asr.hotWords empty.`);
  }
  const folder = await mkdtemp(join(tmpdir(), 'voice-chat-'));
  const bpeVocab = join(folder, 'bpe.vocab');
  const pieces = sentencePieces(await readFile(files.bpe));
  await writeFile(bpeVocab, pieces.map(({ piece, score }) => `${piece}\t${score}\n`).join(''));
  const modelingUnit = /\p{Script=Han}/u.test(tokens) ? 'cjkchar+bpe' : 'bpe';
  return { config, model: { modelingUnit, bpeVocab }, loaded: () => rm(folder, { recursive: true, force: true }) };
}

/** A word with a letter that no token has is dropped by sherpa-onnx without a word. */
function checkLetters(words: string, tokens: string): void {
  const known = new Set(tokens);
  const unknown = [...words].find((letter) => !/\s/.test(letter) && !known.has(letter));
  if (unknown) throw new EngineError('asr', `The speech model cannot write "${unknown}"; take it out of asr.hotWords.`);
}
