import { PAUSE, spell } from './spell.ts';
import { ABBREVIATIONS, LETTERS } from './spoken-words.ts';

/** One thing to say, in ASCII, and the punctuation after it, which shapes pauses and melody. */
export type SpokenToken = { readonly name: string; readonly punctuation: string };

/** A word as written, and what to say for it: nothing for what has no sound, such as an emoji. */
export type SpokenWord = { readonly text: string; readonly tokens: readonly SpokenToken[] };

type Core = { readonly inner: string; readonly punctuation: string };

const LONGEST_TOKEN = 24;
// What is longer is no word (a key, a line of code): its beginning is said.
const LONGEST_WORD = 4 * LONGEST_TOKEN;
const MOST_TOKENS = 40;

/** The words of `phrase`, split at spaces, with numbers, times, dates, units, symbols and abbreviations spelled out. */
export function spokenWords(phrase: string): SpokenWord[] {
  const written = phrase.split(/\s+/).filter((text) => text !== '');
  const cores = written.map(coreOf);
  const said = cores.map(({ inner }, i) => spell(inner, cores[i - 1]?.inner ?? '', cores[i + 1]?.inner ?? ''));
  return written.map((text, i) => {
    const isLast = i === written.length - 1;
    const pause = said[i + 1] === PAUSE ? ',' : isLast && text.endsWith('.') ? '.' : '';
    return { text, tokens: tokensOf(said[i]!, cores[i]!.punctuation || pause) };
  });
}

/** What of a written word is said, without quotes, brackets and Markdown, and the punctuation after it. */
function coreOf(text: string): Core {
  const plain = text
    .normalize('NFC')
    .replace(/[！-～]/g, (wide) => String.fromCharCode(wide.charCodeAt(0) - 0xfee0))
    .replace(/[‘’ʼ]/g, "'")
    .replace(/…|\.{2,}/g, ',')
    .replace(/[“”«»"]/g, '');
  const [, inner = '', end = ''] = /^(?:['([{*_`]|~~)*(.*?)([-–—.,;:!?)\]}'*_`~]*)$/.exec(plain) ?? [];
  if (!inner) return { inner: /^(?:[-–—*]|--)$/.test(plain) ? plain : '', punctuation: '' };
  // The dot of an abbreviation is part of it.
  if (end.startsWith('.') && (inner.includes('.') || `${inner}.` in ABBREVIATIONS)) {
    return { inner: `${inner}.`, punctuation: /[!?,;:]/.exec(end)?.[0] ?? '' };
  }
  return { inner, punctuation: (/[!?]/.exec(end) ?? /[.,;:]/.exec(end))?.[0] ?? (/[–—]|--/.test(end) ? ',' : '') };
}

/** Latin letters lose their marks; what is then not ASCII cannot be said. */
function tokensOf(said: string, punctuation: string): SpokenToken[] {
  const plain = said
    .replace(/[ßæœøłđðþıÆŒØŁĐÐÞ]/g, (letter) => LETTERS[letter.toLowerCase()]!)
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z'., ]/gu, ' ')
    .replaceAll(',', ' , ');
  const out: SpokenToken[] = [];
  const mark = (sign: string) => {
    const last = out.pop();
    if (last) out.push({ name: last.name, punctuation: sign });
  };
  for (const part of plain.split(' ')) {
    if (part === ',') mark(',');
    // Endless words would be read at once, and a synthesiser's rules for unknown words take long over them.
    else {
      const length = Math.min(part.length, LONGEST_WORD);
      for (let at = 0; at < length; at += LONGEST_TOKEN) push(part.slice(at, at + LONGEST_TOKEN));
    }
  }
  if (punctuation) mark(punctuation);
  return out;

  function push(part: string): void {
    const name = part.replace(/^[.']+|'+$/g, '').replace(/^([^.]*)\.$/, '$1');
    if (/[A-Za-z]/.test(name) && out.length < MOST_TOKENS) out.push({ name, punctuation: '' });
  }
}
