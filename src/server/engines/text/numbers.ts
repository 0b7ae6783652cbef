const ONES =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split(
    ' ',
  );
const TENS = ' ten twenty thirty forty fifty sixty seventy eighty ninety'.split(' ');
const SCALES = ['', 'thousand', 'million', 'billion', 'trillion'];
const IRREGULAR: Record<string, string> = {
  ...{ one: 'first', two: 'second', three: 'third', five: 'fifth', eight: 'eighth', nine: 'ninth', twelve: 'twelfth' },
};

/** A whole number from 0 up in words; beyond 999 trillion its digits, one by one. */
export function cardinal(number: number): string {
  if (!(number < 1e15)) return digits(String(number));
  const groups: string[] = [];
  for (let rest = number, scale = 0; rest > 0; rest = Math.floor(rest / 1000), scale++) {
    if (rest % 1000) groups.unshift(`${belowThousand(rest % 1000)} ${SCALES[scale]}`.trim());
  }
  return groups.join(' ') || ONES[0]!;
}

function belowThousand(number: number): string {
  const hundreds = number >= 100 ? [ONES[Math.floor(number / 100)]!, 'hundred'] : [];
  const rest = number % 100;
  const small =
    rest < 20 ? (rest ? [ONES[rest]!] : []) : [TENS[Math.floor(rest / 10)]!, ...(rest % 10 ? [ONES[rest % 10]!] : [])];
  return [...hundreds, ...small].join(' ');
}

/** A whole number's place in a row: 22 is `twenty second`. */
export function ordinal(number: number): string {
  return cardinal(number).replace(/\w+$/, (last) => IRREGULAR[last] ?? `${last.replace(/y$/, 'ie')}th`);
}

/** More than one of the last word: `twenty` is `twenties`, `third` is `thirds`. */
export function plural(words: string): string {
  return words.endsWith('y') ? `${words.slice(0, -1)}ies` : /(?:x|s|ch)$/.test(words) ? `${words}es` : `${words}s`;
}

/** The digits in `text`, one by one. */
export function digits(text: string): string {
  return [...text.replace(/\D/g, '')].map((digit) => ONES[Number(digit)]).join(' ');
}

/** A year as people say it: 1905 is `nineteen oh five`, 2024 is `twenty twenty four`. */
export function year(number: number): string {
  const rest = number % 100;
  if (number % 1000 < 10) return cardinal(number);
  const century = cardinal(Math.floor(number / 100));
  return `${century} ${rest === 0 ? 'hundred' : rest < 10 ? `oh ${ONES[rest]}` : cardinal(rest)}`;
}

/** A number as written (`1,234.50`, `-5`, `007`) in words. */
export function number(text: string): string {
  const [, sign, whole, fraction] = /^([-−+]?)([\d,]*)(?:\.(\d+))?$/.exec(text) ?? [];
  if (whole === undefined) return digits(text);
  const plain = whole.replaceAll(',', '');
  const said =
    plain.length > 15 || (plain.length > 1 && plain.startsWith('0')) ? digits(plain) : cardinal(Number(plain));
  const point = fraction ? ` point ${digits(fraction)}` : '';
  return `${sign === '' ? '' : sign === '+' ? 'plus ' : 'minus '}${said}${point}`;
}
