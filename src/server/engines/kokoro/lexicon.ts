import { readFile } from 'node:fs/promises';
import type { Dictionary } from './pronounce.ts';

/** The pronouncing dictionary of a Kokoro model: a word per line, then its phonemes; of several entries the first counts. */
export async function readLexicon(path: string): Promise<Dictionary> {
  const sounds = new Map<string, string>();
  for (const line of (await readFile(path, 'utf8')).split('\n')) {
    const end = line.indexOf(' ');
    const word = line.slice(0, end);
    if (end > 0 && !sounds.has(word)) sounds.set(word, line.slice(end).replace(/\s+/g, ''));
  }
  return (word) => sounds.get(word);
}

/** The numbers of a model's tokens, from its `tokens.txt`: one `token id` per line, where the space stands for itself. */
export async function readTokens(path: string): Promise<ReadonlyMap<string, number>> {
  const ids = new Map<string, number>();
  for (const line of (await readFile(path, 'utf8')).split('\n')) {
    const match = /^(\S*)\s+(\d+)\s*$/.exec(line);
    if (match) ids.set(match[1] || ' ', Number(match[2]));
  }
  return ids;
}
