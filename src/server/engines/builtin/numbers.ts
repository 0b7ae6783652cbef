const ONES = [
  'zero',
  'one',
  'two',
  'three',
  'four',
  'five',
  'six',
  'seven',
  'eight',
  'nine',
  'ten',
  'eleven',
  'twelve',
  'thirteen',
  'fourteen',
  'fifteen',
  'sixteen',
  'seventeen',
  'eighteen',
  'nineteen',
];
const TENS = ['', '', 'twenty', 'thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty', 'ninety'];
const SCALES = [
  [1e12, 'trillion'],
  [1e9, 'billion'],
  [1e6, 'million'],
  [1e3, 'thousand'],
] as const;

/** A whole number from 0 to 999 in words, such as `one hundred and five`. */
function underThousand(n: number): string {
  if (n < 20) return ONES[n]!;
  if (n < 100) return n % 10 ? `${TENS[Math.floor(n / 10)]}-${ONES[n % 10]}` : TENS[n / 10]!;
  const rest = n % 100;
  return `${ONES[Math.floor(n / 100)]} hundred${rest ? ` and ${underThousand(rest)}` : ''}`;
}

function whole(n: number): string {
  if (n < 1000) return underThousand(n);
  const parts: string[] = [];
  let rest = n;
  for (const [size, name] of SCALES) {
    if (rest < size) continue;
    parts.push(`${underThousand(Math.floor(rest / size))} ${name}`);
    rest %= size;
  }
  if (rest > 0) parts.push(rest < 100 && parts.length > 0 ? `and ${underThousand(rest)}` : underThousand(rest));
  return parts.join(' ');
}

/** A number as it is spoken, such as `minus three point two five`; the largest are rounded to a power of ten. */
export function sayNumber(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? 'infinity' : value < 0 ? 'minus infinity' : 'not a number';
  if (value < 0) return `minus ${sayNumber(-value)}`;
  if (value >= 1e15) {
    const power = Math.floor(Math.log10(value));
    return `${sayNumber(Math.round((value / 10 ** power) * 100) / 100)} times ten to the power of ${whole(power)}`;
  }
  if (Number.isInteger(value)) return whole(value);
  const [before, after] = decimals(value).split('.');
  const digits = [...(after ?? '')].map((digit) => ONES[Number(digit)]).join(' ');
  return digits ? `${whole(Number(before))} point ${digits}` : whole(Number(before));
}

/** Up to two decimals, or as many as show the first two digits of a small number. */
function decimals(value: number): string {
  const places = value >= 0.1 ? 2 : Math.min(12, 1 - Math.floor(Math.log10(value)));
  return value.toFixed(places).replace(/\.?0+$/, '');
}

/** Whether `sayNumber` tells the whole value; otherwise say "about" before it. */
export function isExact(value: number): boolean {
  if (Math.abs(value) >= 1e15) return false;
  if (Number.isInteger(value)) return true;
  return Math.abs(Number(decimals(Math.abs(value))) - Math.abs(value)) < 1e-9 * Math.abs(value);
}

/** The place in a row as a word, such as `twenty-second`; 1 to 99. */
export function sayOrdinal(n: number): string {
  const special: Record<string, string> = {
    one: 'first',
    two: 'second',
    three: 'third',
    five: 'fifth',
    eight: 'eighth',
    nine: 'ninth',
    twelve: 'twelfth',
  };
  const words = underThousand(n);
  const at = Math.max(words.lastIndexOf('-'), words.lastIndexOf(' ')) + 1;
  const last = words.slice(at);
  return words.slice(0, at) + (special[last] ?? (last.endsWith('y') ? `${last.slice(0, -1)}ieth` : `${last}th`));
}

const SMALL = new Map<string, number>([
  ...ONES.map((word, i) => [word, i] as const),
  ...TENS.flatMap((word, i) => (word ? [[word, 10 * i] as const] : [])),
  ['oh', 0],
  ['nought', 0],
]);
const LARGE = new Map<string, number>([...SCALES.map(([size, name]) => [name, size] as const), ['hundred', 100]]);

export type ReadNumber = { readonly value: number; readonly length: number };

/** The longest number that starts at word `from`: words, digits, `minus`, decimals; undefined when there is none. */
export function readNumber(words: readonly string[], from: number): ReadNumber | undefined {
  let at = from;
  const negative = words[at] === 'minus' || words[at] === 'negative';
  if (negative) at++;
  const whole = readDigits(words, at) ?? readWords(words, at);
  const halves = ['and', 'a', 'half'];
  const half = halves.every((word, i) => words[at + (whole?.length ?? 0) + i] === word);
  const body = whole && half ? { value: whole.value + 0.5, length: whole.length + 3 } : (whole ?? readHalf(words, at));
  if (!body) return undefined;
  return { value: negative ? -body.value : body.value, length: at - from + body.length };
}

function readHalf(words: readonly string[], from: number): ReadNumber | undefined {
  const length = words[from] === 'half' ? 1 : words[from] === 'a' && words[from + 1] === 'half' ? 2 : 0;
  return length > 0 && words[from + length] !== 'of' ? { value: 0.5, length } : undefined;
}

function readDigits(words: readonly string[], from: number): ReadNumber | undefined {
  const word = words[from];
  if (word === undefined || !/^\d[\d,]*(\.\d+)?$/.test(word)) return undefined;
  let value = Number(word.replaceAll(',', ''));
  let length = 1;
  for (let size = LARGE.get(words[from + length] ?? ''); size; size = LARGE.get(words[from + length] ?? '')) {
    value *= size;
    length++;
  }
  return { value, length };
}

function readWords(words: readonly string[], from: number): ReadNumber | undefined {
  let at = from;
  let total = 0;
  let group = -1;
  let last = Number.POSITIVE_INFINITY;
  if (words[at] === 'a' && LARGE.has(words[at + 1] ?? '')) {
    group = 1;
    at++;
  }
  for (; at < words.length; at++) {
    const word = words[at]!;
    const small = SMALL.get(word);
    const size = LARGE.get(word);
    if (small !== undefined) {
      // "twenty five" is one number, "five twenty" and "one two" are two.
      const fits = group < 0 || last === 100 || (last >= 20 && last < 100 && small > 0 && small < 10) || last >= 1000;
      if (!fits || (last === 100 && small >= 100)) break;
      group = Math.max(group, 0) + small;
      last = small === 0 ? 1 : small;
    } else if (size === 100 && group > 0 && group < 100) {
      group *= 100;
      last = 100;
    } else if (size && size >= 1000 && group > 0) {
      total += group * size;
      group = 0;
      last = size;
    } else if (word === 'and' && last >= 100 && at > from && SMALL.has(words[at + 1] ?? '')) {
    } else break;
  }
  if (group < 0) return undefined;
  let value = total + group;
  if (words[at] === 'point' && isDigit(words[at + 1])) {
    let place = 0.1;
    for (at++; isDigit(words[at]); at++, place /= 10) value += SMALL.get(words[at]!)! * place;
    value = Number(value.toFixed(10));
  }
  return { value, length: at - from };
}

function isDigit(word: string | undefined): boolean {
  return word !== undefined && (SMALL.get(word) ?? 10) < 10;
}
