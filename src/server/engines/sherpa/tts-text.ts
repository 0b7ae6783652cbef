import type { Language } from '../../models/model-entry.ts';
import type { WeighedWord } from '../sound/share-time.ts';
import { pieces } from '../text/pieces.ts';
import { spokenWords } from '../text/spoken-form.ts';

/** Something to say in one go; `words` are those of the phrase that it says, where that is known. */
export type SayablePiece = {
  readonly text: string;
  readonly endsSentence: boolean;
  readonly words: readonly WeighedWord[];
};

const SCRIPTS: Readonly<Record<Language, string>> = {
  en: '\\p{Script=Latin}',
  de: '\\p{Script=Latin}',
  fr: '\\p{Script=Latin}',
  es: '\\p{Script=Latin}',
  zh: '\\p{Script=Latin}\\p{Script=Han}',
  ja: '\\p{Script=Latin}\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}ー',
};
const CLAUSE = 60;
const LONGEST = 180;
const LONGEST_WORD = 48;
const MOST_DIGITS = 40;

/**
 * What of a phrase a model of this language can say, cut into pieces that are made one by one, so that the first is soon
 * ready: sentences, and long ones at a comma. Over some of what is left out here (very long texts) native code ends the
 * process, and over other (texts without a sound) it prints what was to be said.
 */
export function sayable(phrase: string, language: Language): SayablePiece[] {
  const said =
    language === 'en' ? english(phrase) : cut(cleaned(phrase, language)).map((text) => ({ text, words: [] }));
  return said
    .map(({ text, words }) => ({ text: text.trim(), words }))
    .filter(({ text }) => /[\p{L}\p{N}]/u.test(text))
    .map(({ text, words }) => ({ text, words, endsSentence: /[.!?…。！？]$/.test(text) }));
}

function english(phrase: string): { text: string; words: WeighedWord[] }[] {
  return pieces(spokenWords(phrase), 12, 30).map((piece) => {
    const said = piece.map(({ tokens }) =>
      tokens.map(({ name, punctuation }) => letters(name) + punctuation).join(' '),
    );
    const words = piece.map(({ text }, i) => ({ text, weight: said[i]!.length }));
    return { text: said.filter((one) => one !== '').join(' '), words };
  });
}

/** `P.M.` with spaces instead of dots, which would be taken for the ends of sentences, and an A that is no article. */
function letters(name: string): string {
  return /^(?:[A-Za-z]\.)+[A-Za-z]?$/.test(name)
    ? [...name.replaceAll('.', '')].map((letter) => (/a/i.test(letter) ? 'ay' : letter)).join(' ')
    : name;
}

function cleaned(phrase: string, language: Language): string {
  const unknown = new RegExp(
    `[^${SCRIPTS[language]}\\p{M}\\p{Nd} .,;:!?…'’"()%€$£&°+–—\\-。，、！？；：「」『』・]`,
    'gu',
  );
  return phrase
    .normalize('NFC')
    .replace(unknown, ' ')
    .replace(/\p{M}{3,}/gu, '')
    .replace(/\d{13,}/g, (digits) => [...digits.slice(0, MOST_DIGITS)].join(' '))
    .replace(/([^\p{L}\p{N}\s])(?:\s*\1)+/gu, '$1')
    .replace(/([^\p{L}\p{N}\s]{3})[^\p{L}\p{N}\s]+/gu, '$1')
    .replace(/\s+/g, ' ');
}

/** Greedy: as much as is not too long, ending at the best place that was passed. */
function cut(text: string): string[] {
  const out: string[] = [];
  let piece = '';
  // A part ends at a space, or after a mark of scripts that write no spaces.
  for (const part of text.match(/[^\s。，、！？；：]+(?:[。，、！？；：]+|\s+|$)|[。，、！？；：\s]+/gu) ?? []) {
    for (let at = 0; at < part.length; at += LONGEST_WORD) {
      piece += part.slice(at, at + LONGEST_WORD);
      const end = piece.trimEnd();
      const ends = /[.!?…。！？]["'’」』)]*$/.test(end) || (end.length >= CLAUSE && /[,;:，、；：]$/.test(end));
      if (!ends && end.length < LONGEST) continue;
      out.push(piece);
      piece = '';
    }
  }
  return [...out, piece];
}
