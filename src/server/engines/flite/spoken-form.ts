import type { FliteToken } from './flite-instance.ts';
import { cardinal, digits, number, ordinal, plural, year } from './numbers.ts';
import { ABBREVIATIONS, CURRENCIES, MONTHS, SYMBOLS, UNITS } from './spoken-words.ts';

/** A word as written, and what to say for it: nothing for what has no sound, such as an emoji. */
export type SpokenWord = { readonly text: string; readonly tokens: FliteToken[] };

const NUMBER = String.raw`[-−+]?\d[\d,]*(?:\.\d+)?`;
const LONGEST_TOKEN = 24;

/** The words of `phrase`, split at spaces, with numbers, times, dates, units, symbols and abbreviations spelled out. */
export function spokenWords(phrase: string): SpokenWord[] {
  const written = phrase.split(/\s+/).filter((text) => text !== '');
  const cores = written.map(core);
  return written.map((text, i) => {
    const { inner, punctuation } = cores[i]!;
    const said = spell(inner, cores[i - 1]?.inner ?? '', cores[i + 1]?.inner ?? '');
    return { text, tokens: tokens(said, punctuation) };
  });
}

/** What of a written word is said, without quotes, brackets and Markdown, and the punctuation after it. */
function core(text: string): { inner: string; punctuation: string } {
  const plain = text
    .replace(/[‘’ʼ]/g, "'")
    .replace(/…|\.{2,}/g, ',')
    .replace(/[“”«»"]/g, '');
  const [, inner = '', end = ''] = /^['([{*_`~]*(.*?)([-–—.,;:!?)\]}'*_`~]*)$/.exec(plain) ?? [];
  if (!inner) return { inner: /^[-–—~*]$/.test(plain) ? plain : '', punctuation: /[.,;:!?]/.exec(plain)?.[0] ?? '' };
  const mark = /[!?]/.exec(end)?.[0] ?? /[.,;:]/.exec(end)?.[0] ?? (/[–—]|--/.test(end) ? ',' : '');
  // The dot of an abbreviation is part of it.
  const abbreviation = end.startsWith('.') && (inner.includes('.') || `${inner}.` in ABBREVIATIONS);
  return abbreviation
    ? { inner: `${inner}.`, punctuation: end.slice(1).match(/[!?,;:.]/)?.[0] ?? '' }
    : { inner, punctuation: mark };
}

/** The words to say for one written word between its neighbours; a comma in them is a short pause. */
function spell(word: string, before: string, after: string): string {
  const amount = new RegExp(`^(${NUMBER})$`);
  const match = (pattern: string, flags = '') => new RegExp(`^${pattern}$`, flags).exec(word);
  let m: RegExpExecArray | null;
  if (word in ABBREVIATIONS && !(word === 'No.' && !amount.test(after))) return ABBREVIATIONS[word]!;
  if (word === 'St.') return after && /^[A-Z]/.test(after) && !/^[A-Z]/.test(before) ? 'saint' : 'street';
  if (/^(?:thousand|million|billion|trillion)$/.test(word) && /^[$€£¥]/.test(before))
    return `${word} ${CURRENCIES[before[0]!]![1]}`;
  if (amount.test(before) && word in UNITS) return UNITS[word]![Number(before) === 1 ? 0 : 1]!;
  if ((m = match(String.raw`(\d{1,2}):(\d{2})(?::(\d{2}))?(?:([ap])\.?m\.?)?`, 'i'))) return time(m);
  if ((m = match(String.raw`(\d{1,2})([ap])\.?m\.?`, 'i'))) return `${number(m[1]!)} ${half(m[2]!)}`;
  if ((m = match(String.raw`(\d{4})-(\d{2})-(\d{2})`))) return date(m[2]!, m[3]!, m[1]!) ?? digits(word);
  if ((m = match(String.raw`(\d{1,2})/(\d{1,2})/(\d{4})`))) {
    return date(m[1]!, m[2]!, m[3]!) ?? date(m[2]!, m[1]!, m[3]!) ?? word.split('/').map(number).join(' slash ');
  }
  if ((m = match(String.raw`-?([$€£¥])(\d[\d,]*)(?:\.(\d{2}))?([kKmMbB]n?)?`)))
    return money(m, word.startsWith('-'), after);
  if ((m = match(`([$€£¥])(${NUMBER})`))) return `${number(m[2]!)} ${CURRENCIES[m[1]!]![1]}`;
  if ((m = match(String.raw`(\d[\d,]*)(st|nd|rd|th)`, 'i'))) return ordinal(Number(m[1]!.replaceAll(',', '')));
  if ((m = match(String.raw`'?(\d{2}|\d{3}0)'?s`)))
    return plural(m[1]!.length === 4 ? year(Number(m[1])) : number(m[1]!));
  if ((m = match(String.raw`\+?\(?\d{3}\)?(?:[-.]\d{3,4})+`))) return word.split(/[-.]/).map(digits).join(', ');
  if ((m = match(`(${NUMBER})[-–—](${NUMBER})(%?)`))) {
    return `${number(m[1]!)} to ${number(m[2]!)}${m[3] ? ' percent' : ''}`;
  }
  if (word === '24/7') return 'twenty four seven';
  if ((m = match(String.raw`(\d{1,3})[/⁄](\d{1,3})`))) return fraction(Number(m[1]), Number(m[2]));
  if ((m = match(String.raw`(\d+)([½¼¾⅓⅔])`))) return `${number(m[1]!)} and ${SYMBOLS[m[2]!]}`;
  if (/^\d{4}$/.test(word) && looksLikeYear(Number(word), before)) return year(Number(word));
  if (amount.test(word)) return number(word);
  if ((m = match(`(${NUMBER})(.+)`)) && m[2]! in UNITS)
    return `${number(m[1]!)} ${UNITS[m[2]!]![Number(m[1]) === 1 ? 0 : 1]}`;
  if ((m = match(String.raw`#(\d+)`))) return `number ${number(m[1]!)}`;
  if ((m = match(`[~≈](${NUMBER})`))) return `about ${number(m[1]!)}`;
  if (/^v\d+(\.\d+)+$/.test(word)) return `version ${word.slice(1).split('.').map(number).join(' point ')}`;
  if (/^[-–—]$/.test(word)) return amount.test(before) && amount.test(after) ? 'minus' : ',';
  if (/^[*x]$/.test(word) && amount.test(before) && amount.test(after)) return 'times';
  if (/^[a-z]+\/[a-z]+$/i.test(word)) return word.replace('/', ' or ');
  return /@|:\/\/|^www\.|\.(?:com|org|net|io|dev|edu|gov)\b|^\//.test(word) ? address(word) : mixed(word);
}

const half = (letter: string) => (letter.toLowerCase() === 'a' ? 'A.M.' : 'P.M.');

function time([, hour, minute, second, letter]: RegExpExecArray): string {
  const minutes = Number(minute);
  const hours = number(String(Number(hour)));
  const said =
    minutes === 0
      ? letter
        ? ''
        : Number(hour) > 12 || hour === '00'
          ? ' hundred'
          : " o'clock"
      : minutes < 10
        ? ` oh ${cardinal(minutes)}`
        : ` ${cardinal(minutes)}`;
  const seconds = second ? ` and ${cardinal(Number(second))} ${second === '01' ? 'second' : 'seconds'}` : '';
  return `${hours}${said}${seconds}${letter ? ` ${half(letter)}` : ''}`;
}

function date(month: string, day: string, of: string): string | undefined {
  const name = MONTHS[Number(month) - 1];
  return name && Number(day) >= 1 && Number(day) <= 31
    ? `${name} ${ordinal(Number(day))} ${year(Number(of))}`
    : undefined;
}

function money([, sign, whole, cents, scale]: RegExpExecArray, negative: boolean, after: string): string {
  const [one, many, small] = CURRENCIES[sign!]!;
  const minus = negative ? 'minus ' : '';
  const scaled = { k: 'thousand', m: 'million', b: 'billion' }[scale?.[0]?.toLowerCase() ?? ''];
  if (scaled) return `${minus}${number(cents ? `${whole}.${cents}` : whole!)} ${scaled} ${many}`;
  if (/^(?:thousand|million|billion|trillion)$/.test(after))
    return minus + number(cents ? `${whole}.${cents}` : whole!);
  const amount = Number(whole!.replaceAll(',', ''));
  const coins = Number(cents ?? 0);
  const first = `${number(whole!)} ${amount === 1 ? one : many}`;
  if (!coins) return minus + first;
  const second = `${cardinal(coins)}${small ? ` ${coins === 1 && small === 'cents' ? 'cent' : small}` : ''}`;
  return minus + (amount ? `${first} and ${second}` : second);
}

function fraction(top: number, bottom: number): string {
  if (top < 1 || top >= bottom || bottom > 20) return `${cardinal(top)} over ${cardinal(bottom)}`;
  const part = bottom === 2 ? 'half' : bottom === 4 ? 'quarter' : ordinal(bottom);
  return `${cardinal(top)} ${top === 1 ? part : part === 'half' ? 'halves' : plural(part)}`;
}

function looksLikeYear(value: number, before: string): boolean {
  const lead =
    /^(?:in|since|year|of|from|until|till|by|before|after|around|circa|late|early|mid|summer|winter|spring|autumn|fall)$/i;
  const day = /^\d{1,2}(?:st|nd|rd|th)?$/i.test(before);
  return value >= 1100 && value < 2100 && (lead.test(before) || day || MONTHS.includes(before.replace('.', '')));
}

function address(word: string): string {
  const parts = word
    .replace(/^\w+:\/\//, '')
    .replace(/\/$/, '')
    .split(/([@./_:?=&#-])/);
  const names: Record<string, string> = {
    '@': 'at',
    '.': 'dot',
    '/': 'slash',
    _: 'underscore',
    ':': 'colon',
    '-': 'dash',
  };
  return parts.map((part) => names[part] ?? mixed(part)).join(' ');
}

/** What is left: letters, digits and symbols in any mixture. */
function mixed(word: string): string {
  return word
    .replace(/[^A-Za-z\d'.]/gu, (symbol) => ` ${SYMBOLS[symbol] ?? (/[-_/\\|,:;]/.test(symbol) ? '' : symbol)} `)
    .replace(/(\d+(?:\.\d+)?)/g, (value) => ` ${number(value)} `)
    .replace(/([a-z])([A-Z])/g, '$1 $2');
}

/** Latin letters lose their marks; what is then not ASCII cannot be said. */
function tokens(said: string, punctuation: string): FliteToken[] {
  const plain = said
    .replace(/[ßæœøłđðþıÆŒØŁĐÞ]/g, (letter) => LETTERS[letter.toLowerCase()] ?? letter)
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z'., ]/gu, ' ');
  const names = plain
    .replaceAll(',', ' , ')
    .split(/\s+/)
    .flatMap((name) => name.match(new RegExp(`.{1,${LONGEST_TOKEN}}`, 'g')) ?? []);
  const out: FliteToken[] = [];
  for (const name of names) {
    const last = out.at(-1);
    if (name === ',' && last) out[out.length - 1] = { name: last.name, punctuation: ',' };
    else if (/[A-Za-z]/.test(name)) out.push({ name: name.replace(/^[.']+|'+$/g, ''), punctuation: '' });
  }
  const last = out.at(-1);
  if (last && punctuation) out[out.length - 1] = { name: last.name, punctuation };
  return out;
}

const LETTERS: Record<string, string> = {
  ...{ ß: 'ss', æ: 'ae', œ: 'oe', ø: 'o', ł: 'l', đ: 'd', ð: 'th', þ: 'th', ı: 'i' },
};
