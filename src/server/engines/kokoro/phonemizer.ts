import type { Dictionary } from './pronounce.ts';

/** espeak-ng's phonemes as Kokoro writes them. */
const SAME: readonly (readonly [RegExp, string])[] = [
  [/aɪ/g, 'I'],
  [/aʊ/g, 'W'],
  [/eɪ/g, 'A'],
  [/oʊ|əʊ/g, 'O'],
  [/ɔɪ/g, 'Y'],
  [/dʒ/g, 'ʤ'],
  [/tʃ/g, 'ʧ'],
  [/ɜː?ɹ?|ɝ/g, 'ɜɹ'],
  [/ɚ/g, 'əɹ'],
  [/əl(?=$|\s)/g, 'ᵊl'],
  [/ɐ/g, 'ə'],
  [/r/g, 'ɹ'],
  [/ɾ/g, 'T'],
  [/ʔ/g, 't'],
  [/e/g, 'A'],
  [/ː|ʲ|\p{M}/gu, ''],
];

type Phonemizer = { phonemize(text: string, language: string): Promise<string[]> };
const PACKAGE = 'phonemizer';

/** Pronounces words with the npm package phonemizer (espeak-ng, under the GPL) where the user has installed it. */
export async function openPhonemizer(
  load: () => Promise<Phonemizer> = () => import(PACKAGE as string) as Promise<Phonemizer>,
): Promise<((words: readonly string[]) => Promise<Dictionary>) | undefined> {
  const library = await load().catch(() => undefined);
  if (!library) return undefined;
  return async (words) => {
    const sounds = new Map<string, string>();
    for (const word of words) {
      const said = (await library.phonemize(word, 'en-us')).join(' ').trim();
      const mapped = SAME.reduce((text, [from, to]) => text.replace(from, to), said);
      if (mapped) sounds.set(word, mapped);
    }
    return (word) => sounds.get(word);
  };
}
