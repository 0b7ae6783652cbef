import { cardinal, digits, number, ordinal, plural, year } from './numbers.ts';
import { ABBREVIATIONS, CURRENCIES, MONTHS, SYMBOLS, UNITS } from './spoken-words.ts';

/** What `spell` gives for a dash between words: nothing is said there. */
export const PAUSE = ',';

type Match = readonly (string | undefined)[] & { readonly input: string };

/** How one kind of written word is said between its neighbours; undefined when it is not of that kind after all. */
type Rule = readonly [RegExp, (match: Match, before: string, after: string) => string | undefined];

const NUMBER = String.raw`[-−+]?(?:\d[\d,]*(?:\.\d+)?|\.\d+)`;
const SCALE = /^(?:thousand|million|billion|trillion)$/;
const isNumber = (word: string) => new RegExp(`^${NUMBER}$`).test(word);
const whole = (source: string, flags = '') => new RegExp(`^${source}$`, flags);
const unit = (name: string, amount: string) => UNITS[name]?.[Number(amount) === 1 ? 0 : 1];
const half = (letter: string) => (letter.toLowerCase() === 'a' ? 'A.M.' : 'P.M.');

const RULES: readonly Rule[] = [
  [whole('--|[-–—]'), (_, before, after) => (isNumber(before) && isNumber(after) ? 'minus' : PAUSE)],
  [whole('[*x]'), (_, before, after) => (isNumber(before) && isNumber(after) ? 'times' : undefined)],
  [whole('/'), (_, before, after) => (isNumber(before) && isNumber(after) ? 'divided by' : undefined)],
  [whole('([ap])m', 'i'), ([, letter], before) => (/^[\d:]+$/.test(before) ? half(letter!) : undefined)],
  [whole(String.raw`No\.`), (_, __, after) => (isNumber(after) ? 'number' : 'no')],
  [
    whole(String.raw`St\.`),
    (_, before, after) => (/^[A-Z]/.test(after) && !/^[A-Z]/.test(before) ? 'saint' : 'street'),
  ],
  [whole('.+'), ([word]) => ABBREVIATIONS[word!]],
  [SCALE, ([word], before) => (CURRENCIES[before[0]!] ? `${word} ${CURRENCIES[before[0]!]![1]}` : undefined)],
  [whole('.+'), ([word], before) => (isNumber(before) ? unit(word!, before) : undefined)],
  [whole(String.raw`(\d{1,2}):(\d{2})(?::(\d{2}))?(?:([ap])\.?m\.?)?`, 'i'), time],
  [whole(String.raw`(\d{1,2})([ap])\.?m\.?`, 'i'), ([, hour, letter]) => `${number(hour!)} ${half(letter!)}`],
  [whole(String.raw`(\d{4})-(\d{2})-(\d{2})`), ([, of, month, day]) => date(month!, day!, of!)],
  [whole(String.raw`(\d{1,2})/(\d{1,2})/(\d{4})`), ([, a, b, of]) => date(a!, b!, of!) ?? date(b!, a!, of!)],
  [whole(String.raw`([-−]?)([$€£¥])(\d[\d,]*)(?:\.(\d+))?([km]|bn?)?`, 'i'), money],
  [whole(String.raw`(\d[\d,]*)(?:st|nd|rd|th)`, 'i'), ([, value]) => ordinal(Number(value!.replaceAll(',', '')))],
  [whole(String.raw`'?(\d0|\d{3}0)'?s`), ([, of]) => plural(of!.length === 4 ? year(Number(of)) : number(of!))],
  [whole(String.raw`\+?\d{3}(?:[-.]\d{3,4})+`), ([word]) => word!.split(/[-.]/).map(digits).join(', ')],
  [
    whole(`(${NUMBER})[-–—](${NUMBER})(%?)`),
    ([, a, b, sign]) => `${number(a!)} to ${number(b!)}${sign ? ' percent' : ''}`,
  ],
  [
    whole(String.raw`(\d+)([*×÷+=])(\d+)`),
    ([, a, sign, b]) => `${number(a!)} ${SYMBOLS[sign!] ?? 'times'} ${number(b!)}`,
  ],
  [whole('24/7'), () => 'twenty four seven'],
  [whole('(\\d{1,3})[/⁄](\\d{1,3})'), ([, top, bottom]) => fraction(Number(top), Number(bottom))],
  [whole('(\\d+)([½¼¾⅓⅔])'), ([, value, part]) => `${number(value!)} and ${SYMBOLS[part!]}`],
  [whole(String.raw`(\d{4})`), ([, of], before) => (looksLikeYear(Number(of), before) ? year(Number(of)) : undefined)],
  [whole(`(${NUMBER})`), ([, value]) => number(value!)],
  [
    whole(`(${NUMBER})(.+)`),
    ([, value, name]) => (unit(name!, value!) ? `${number(value!)} ${unit(name!, value!)}` : undefined),
  ],
  [whole(String.raw`#(\d+)`), ([, value]) => `number ${number(value!)}`],
  [whole(`[~≈](${NUMBER})`), ([, value]) => `about ${number(value!)}`],
  [whole('([CF])#'), ([, letter]) => `${letter} sharp`],
  [whole(String.raw`v(\d+(?:\.\d+)+)`), ([, of]) => `version ${of!.split('.').map(number).join(' point ')}`],
  [whole('([a-z]+)/([a-z]+)', 'i'), ([, a, b]) => `${a} or ${b}`],
  [/@|:\/\/|^www\.|\w\.(?:com|org|net|io|dev|edu|gov)\b|^\/\w/, (match) => address(match.input)],
];

/** The words to say for one written word (without the punctuation around it) between its neighbours; a comma is a short pause. */
export function spell(word: string, before: string, after: string): string {
  for (const [pattern, say] of RULES) {
    const match = pattern.exec(word);
    const said = match && say(match, before, after);
    if (said) return said;
  }
  return mixed(word);
}

function time([, hour, minute, second, letter]: Match): string | undefined {
  const [h, m] = [Number(hour), Number(minute)];
  if (h > 24 || m > 59) return undefined;
  const sharp = letter ? '' : h > 12 || hour === '00' ? ' hundred' : " o'clock";
  const minutes = m === 0 ? sharp : m < 10 ? ` oh ${cardinal(m)}` : ` ${cardinal(m)}`;
  const seconds = second ? ` and ${cardinal(Number(second))} ${second === '01' ? 'second' : 'seconds'}` : '';
  return `${cardinal(h)}${minutes}${seconds}${letter ? ` ${half(letter)}` : ''}`;
}

function date(month: string, day: string, of: string): string | undefined {
  const name = MONTHS[Number(month) - 1];
  const isDay = Number(day) >= 1 && Number(day) <= 31;
  return name && isDay ? `${name} ${ordinal(Number(day))} ${year(Number(of))}` : undefined;
}

function money([, sign, currency, units, part, scale]: Match, _before: string, after: string): string {
  const [one, many, small] = CURRENCIES[currency!]!;
  const minus = sign ? 'minus ' : '';
  const amount = number(part ? `${units}.${part}` : units!);
  const scaled = { k: 'thousand', m: 'million', b: 'billion' }[scale?.[0]?.toLowerCase() ?? ''];
  if (scaled) return `${minus}${amount} ${scaled} ${many}`;
  if (SCALE.test(after)) return `${minus}${amount}`;
  if (part?.length !== 2) return `${minus}${amount} ${!part && units === '1' ? one : many}`;
  const first = Number(units!.replaceAll(',', '')) ? `${number(units!)} ${units === '1' ? one : many}` : '';
  const coins = Number(part) ? `${cardinal(Number(part))} ${part === '01' ? small.replace(/s$/, '') : small}` : '';
  return minus + ([first, coins].filter(Boolean).join(' and ') || `zero ${many}`);
}

function fraction(top: number, bottom: number): string {
  if (top === bottom) return `${cardinal(top)} ${cardinal(bottom)}`;
  if (top < 1 || top >= bottom || bottom > 20) return `${cardinal(top)} over ${cardinal(bottom)}`;
  const part = bottom === 2 ? 'half' : bottom === 4 ? 'quarter' : ordinal(bottom);
  return `${cardinal(top)} ${top === 1 ? part : plural(part)}`;
}

const LEADS_TO_YEAR =
  /^(?:in|since|year|of|from|until|till|by|before|after|around|late|early|mid|summer|winter|spring|autumn|fall)$/i;

function looksLikeYear(value: number, before: string): boolean {
  const isDay = /^\d{1,2}(?:st|nd|rd|th)?$/i.test(before);
  return value >= 1100 && value < 2100 && (LEADS_TO_YEAR.test(before) || isDay || MONTHS.includes(before));
}

const SIGNS: Record<string, string> = {
  ...{ '@': 'at', '.': 'dot', '/': 'slash', _: 'underscore', ':': 'colon', '-': 'dash' },
};

function address(word: string): string {
  const parts = word.replace(/^\w+:\/\/|\/$/g, '').split(/([@./_:-])/);
  return parts.map((part) => SIGNS[part] ?? mixed(part)).join(' ');
}

/** What is left: letters, digits and symbols in any mixture. */
function mixed(word: string): string {
  return word
    .replace(/[^\p{L}\p{M}\d'.]/gu, (symbol) => ` ${SYMBOLS[symbol] ?? ''} `)
    .replace(/([A-Za-z]*)(\d+(?:\.\d+)?)/g, (_, letters: string, value: string) => {
      return ` ${letters} ${letters && value.length > 2 ? digits(value) : number(value)} `;
    })
    .replace(/([a-z])([A-Z])/g, '$1 $2');
}
