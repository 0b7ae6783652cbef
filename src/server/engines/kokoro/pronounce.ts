import { guessed, spelled } from './letter-to-sound.ts';

/** The sound of a word in small letters, in Kokoro's phonemes; undefined where a dictionary does not have it. */
export type Dictionary = (word: string) => string | undefined;

const VOICELESS = /[ptkfθ]$/;
const HISSING = /[szʃʒʧʤ]$/;

/** What is put after a stem, by its spelling: how it sounds after the stem's sound. */
const ENDINGS: readonly (readonly [string, (stem: string) => string])[] = [
  ["'s", plural],
  ["s'", plural],
  ['es', plural],
  ['s', plural],
  ['ed', (stem) => stem + (/[td]$/.test(stem) ? 'ᵻd' : /[pkfθsʃʧ]$/.test(stem) ? 't' : 'd')],
  ['ing', (stem) => `${stem}ɪŋ`],
  ['ly', (stem) => `${stem}li`],
  ['ness', (stem) => `${stem}nəs`],
  ['less', (stem) => `${stem}ləs`],
  ['er', (stem) => `${stem}əɹ`],
  ["'ll", (stem) => `${stem}ᵊl`],
  ["'d", (stem) => `${stem}d`],
  ["'ve", (stem) => `${stem}v`],
  ["'re", (stem) => `${stem}əɹ`],
];

function plural(stem: string): string {
  return stem + (HISSING.test(stem) ? 'ᵻz' : VOICELESS.test(stem) ? 's' : 'z');
}

// Written in capitals they are no abbreviations, as `US` and `IT` may be.
const SHORT_WORDS = /^(?:AM|AN|AS|AT|BE|BY|DO|GO|HE|IF|IN|IS|ME|MY|NO|OF|ON|OR|SO|TO|UP|WE|OH|A|I)$/;

/**
 * How an English word is said: from the dictionary, or made of a stem that is in it and an ending, or of two words that
 * are in it, or as `other` says it; capitals are read letter by letter, and what is left is guessed.
 */
export function pronounced(word: string, dictionary: Dictionary, other: Dictionary = () => undefined): string {
  const plain = word.replace(/^'+/, '').replaceAll('.', '');
  if (/^(?:[A-Za-z]\.)+[A-Za-z]?$/.test(word)) return spelled(plain);
  if (/^[A-Z]{2}$/.test(plain) && !SHORT_WORDS.test(plain)) return spelled(plain);
  const small = plain.toLowerCase();
  const known = dictionary(small) ?? inflected(small, dictionary) ?? compound(small, dictionary);
  if (known !== undefined) return known;
  if (/^[A-Z]{2,5}$/.test(plain) || !/[aeiouy]/.test(small)) return spelled(small);
  return other(small) ?? guessed(small.replaceAll("'", ''));
}

function inflected(word: string, dictionary: Dictionary): string | undefined {
  for (const [ending, said] of ENDINGS) {
    if (!word.endsWith(ending) || word.length < ending.length + 2) continue;
    const stem = word.slice(0, -ending.length);
    for (const form of ending.startsWith("'") ? [stem] : formsOf(stem)) {
      const sound = form.length > 1 ? dictionary(form) : undefined;
      if (sound !== undefined) return said(sound);
    }
  }
  return undefined;
}

/** A stem as its dictionary form may be written: baked, stopped, carried. */
function formsOf(stem: string): string[] {
  const doubled = /([bdfgklmnprt])\1$/.test(stem) ? [stem.slice(0, -1)] : [];
  const y = stem.endsWith('i') ? [`${stem.slice(0, -1)}y`] : [];
  return [stem, `${stem}e`, ...doubled, ...y];
}

const SHORTEST_PART = 3;

/** Two words written as one: the second is said with less weight. */
function compound(word: string, dictionary: Dictionary): string | undefined {
  for (let at = word.length - SHORTEST_PART; at >= SHORTEST_PART; at--) {
    const first = dictionary(word.slice(0, at));
    if (first === undefined) continue;
    const rest = word.slice(at);
    const second = dictionary(rest) ?? inflected(rest, dictionary);
    if (second !== undefined) return first + second.replaceAll('ˈ', 'ˌ');
  }
  return undefined;
}
