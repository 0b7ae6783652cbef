import type { Language } from '../../models/model-entry.ts';
import type { WeighedWord } from '../sound/share-time.ts';
import { pieces } from '../text/pieces.ts';
import { spokenWords } from '../text/spoken-form.ts';
import { MOST_PHONEMES, mostPhonemes } from './tts-length.ts';

/** Something to say in one go; `words` are those of the phrase that it says, where that is known. */
export type SayablePiece = {
  readonly text: string;
  readonly endsSentence: boolean;
  readonly words: readonly WeighedWord[];
};

// Letters that are rarer than these espeak-ng spells by their long names, and Chinese lexicons do not have.
const LATIN = 'A-Za-zÀ-ÖØ-öø-ſ';
const HAN = '\\u3400-\\u4dbf\\u4e00-\\u9fff々';
const SCRIPTS: Readonly<Record<Language, string>> = {
  ...{ en: LATIN, de: LATIN, fr: LATIN, es: LATIN, zh: LATIN + HAN },
  ja: `${LATIN + HAN}\\u3041-\\u3096\\u30a1-\\u30fc`,
};
const CLAUSE = 60;
const LONGEST = 180;
const LONGEST_WORD = 32;
const LONGEST_SPELLED = 8;
const MOST_DIGITS = 40;

/**
 * What of a phrase a model of this language can say, cut into pieces that are made one by one, so that the first is soon
 * ready: sentences, and long ones at a comma. Over some of what is left out here (very long texts) native code ends the
 * process, and over other (texts without a sound, characters that it has no sound for) it prints what was to be said.
 * Where the model says Chinese characters by a list, `knownHan` is what the list has.
 */
export function sayable(phrase: string, language: Language, knownHan?: ReadonlySet<string>): SayablePiece[] {
  const said =
    language === 'en' ? english(phrase) : cut(cleaned(phrase, language, knownHan)).map((text) => ({ text, words: [] }));
  return said
    .map(({ text, words }) => ({ text: text.trim(), words }))
    .filter(({ text }) => /[\p{L}\p{N}]/u.test(text))
    .map(({ text, words }) => ({ text, words, endsSentence: /[.!?…。！？]$/.test(text) }));
}

function english(phrase: string): { text: string; words: WeighedWord[] }[] {
  return pieces(spokenWords(phrase), 12, 30).flatMap((piece) => {
    const out = [{ text: '', words: [] as WeighedWord[] }];
    for (const { text, tokens } of piece) {
      const said = tokens.map(({ name, punctuation }) => letters(name) + punctuation).join(' ');
      let last = out.at(-1)!;
      const longer = `${last.text} ${said}`.trim();
      if (last.text !== '' && mostPhonemes(longer) > MOST_PHONEMES) {
        last = { text: said, words: [] };
        out.push(last);
      } else last.text = longer;
      last.words.push({ text, weight: said.length });
    }
    return out;
  });
}

/**
 * `P.M.` with spaces instead of dots, which would be taken for the ends of sentences, and an A that is no article; of what
 * can only be spelled, and is no abbreviation any more, the beginning.
 */
function letters(name: string): string {
  if (/^(?:[A-Za-z]\.)+[A-Za-z]?$/.test(name)) {
    return [...name.replaceAll('.', '')].map((letter) => (/a/i.test(letter) ? 'ay' : letter)).join(' ');
  }
  return /[aeiouy]/i.test(name) ? name : name.slice(0, LONGEST_SPELLED);
}

function cleaned(phrase: string, language: Language, knownHan: ReadonlySet<string> | undefined): string {
  const unknown = new RegExp(`[^${SCRIPTS[language]}0-9 .,;:!?…'’"()%€$£&°+–—\\-。，、！？；：「」『』・]`, 'gu');
  return phrase
    .normalize('NFC')
    .replace(/[０-９Ａ-Ｚａ-ｚ]/g, (wide) => String.fromCharCode(wide.charCodeAt(0) - 0xfee0))
    .replace(unknown, ' ')
    .replace(/\p{Script=Han}/gu, (character) => (!knownHan || knownHan.has(character) ? character : ' '))
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
      const more = part.slice(at, at + LONGEST_WORD);
      if (mostPhonemes(piece + more) > MOST_PHONEMES) {
        out.push(piece);
        piece = '';
      }
      piece += more;
      const end = piece.trimEnd();
      const ends = /[.!?…。！？]["'’」』)]*$/.test(end) || (end.length >= CLAUSE && /[,;:，、；：]$/.test(end));
      if (!ends && end.length < LONGEST) continue;
      out.push(piece);
      piece = '';
    }
  }
  return [...out, piece];
}
