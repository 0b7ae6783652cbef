import { readNumber, sayNumber } from './numbers.ts';
import { pick, type Random } from './random.ts';

/** A calculation that was read from words. `text` is how to say it; `value` is NaN where it has no answer. */
export type Sum = {
  readonly value: number;
  readonly text: string;
  readonly length: number;
  /** Set when it has no answer. */
  readonly impossible?: 'division by zero' | 'root of a negative number';
};

type Operator = { readonly words: readonly string[]; readonly sign: '+' | '-' | '*' | '/' | '%' | '^' };

const OPERATORS: readonly Operator[] = [
  { words: ['plus'], sign: '+' },
  { words: ['and'], sign: '+' },
  { words: ['minus'], sign: '-' },
  { words: ['less'], sign: '-' },
  { words: ['times'], sign: '*' },
  { words: ['multiplied', 'by'], sign: '*' },
  { words: ['divided', 'by'], sign: '/' },
  { words: ['over'], sign: '/' },
  { words: ['percent', 'of'], sign: '%' },
  { words: ['to', 'the', 'power', 'of'], sign: '^' },
];
const SPOKEN = {
  '+': 'plus',
  '-': 'minus',
  '*': 'times',
  '/': 'divided by',
  '%': 'percent of',
  '^': 'to the power of',
};
const STRENGTH = { '+': 1, '-': 1, '*': 2, '/': 2, '%': 3, '^': 4 };
const PREFIXES = [
  { words: ['the', 'square', 'root', 'of'], apply: Math.sqrt },
  { words: ['square', 'root', 'of'], apply: Math.sqrt },
  { words: ['the', 'square', 'of'], apply: (n: number) => n * n },
  { words: ['half', 'of'], apply: (n: number) => n / 2 },
  { words: ['twice'], apply: (n: number) => n * 2 },
] as const;
/** What a recogniser tends to hear instead of a number between two operators. */
const MISHEARD: Readonly<Record<string, string>> = {
  for: 'four',
  to: 'two',
  too: 'two',
  won: 'one',
  ate: 'eight',
  tree: 'three',
};

const startsWith = (words: readonly string[], at: number, what: readonly string[]) =>
  what.every((word, i) => words[at + i] === word);

type Term = { readonly value: number; readonly text: string; readonly length: number; readonly worked: boolean };

function readTerm(words: readonly string[], from: number): Term | undefined {
  const prefix = PREFIXES.find((candidate) => startsWith(words, from, candidate.words));
  if (prefix) {
    const inner = readTerm(words, from + prefix.words.length);
    return (
      inner && {
        value: prefix.apply(inner.value),
        text: `${prefix.words.join(' ')} ${inner.text}`,
        length: prefix.words.length + inner.length,
        worked: true,
      }
    );
  }
  const number = readNumber(words, from);
  if (!number) return undefined;
  const text = sayNumber(number.value);
  const next = words[from + number.length];
  if (next === 'squared')
    return { value: number.value ** 2, text: `${text} squared`, length: number.length + 1, worked: true };
  if (next === 'cubed')
    return { value: number.value ** 3, text: `${text} cubed`, length: number.length + 1, worked: true };
  return { ...number, text, worked: false };
}

/** The longest calculation that starts at word `from`, undefined when there is only a number or nothing. */
export function readSum(words: readonly string[], from: number): Sum | undefined {
  const heard = words.map((word, i) => {
    const beside = OPERATORS.some(
      ({ words: by, sign }) =>
        startsWith(words, i + 1, by) || (i > from && sign !== '%' && startsWith(words, i - by.length, by)),
    );
    return beside && i >= from ? (MISHEARD[word] ?? word) : word;
  });
  const first = readTerm(heard, from);
  if (!first) return undefined;
  const values = [first.value];
  const signs: Operator['sign'][] = [];
  let text = first.text;
  let at = from + first.length;
  for (;;) {
    const operator = OPERATORS.find((candidate) => startsWith(heard, at, candidate.words));
    const term = operator && readTerm(heard, at + operator.words.length);
    if (!term) break;
    signs.push(operator.sign);
    values.push(term.value);
    text += ` ${SPOKEN[operator.sign]} ${term.text}`;
    at += operator.words.length + term.length;
  }
  if (signs.length === 0 && !first.worked) return undefined;
  const divides = signs.some((sign, i) => sign === '/' && values[i + 1] === 0);
  const value = work(values, signs);
  const length = at - from;
  if (divides) return { value: Number.NaN, text, length, impossible: 'division by zero' };
  if (Number.isNaN(value)) return { value, text, length, impossible: 'root of a negative number' };
  return { value, text, length };
}

function work(values: readonly number[], signs: readonly Operator['sign'][]): number {
  if (signs.length === 0) return values[0]!;
  // The last of the weakest operators is worked out last, as on paper.
  let split = 0;
  for (let i = 1; i < signs.length; i++) if (STRENGTH[signs[i]!] <= STRENGTH[signs[split]!]) split = i;
  const left = work(values.slice(0, split + 1), signs.slice(0, split));
  const right = work(values.slice(split + 1), signs.slice(split + 1));
  const result = {
    '+': left + right,
    '-': left - right,
    '*': left * right,
    '/': left / right,
    '%': (left * right) / 100,
    '^': left ** right,
  }[signs[split]!];
  // 0.1 + 0.2 is said as 0.3.
  return Number.isInteger(result) ? result : Number(result.toPrecision(13));
}

/** A number as people say it, mostly small, without hyphens. */
export function randomNumber(random: Random, most = 1_000_000): string {
  const kind = random();
  const limit = kind < 0.55 ? 20 : kind < 0.86 ? 100 : kind < 0.96 ? 1000 : 100_000;
  const top = Math.min(limit, most);
  const value = kind > 0.99 && most > 100 ? Math.round(random() * 100) / 10 : 1 + Math.floor(random() * top);
  return sayNumber(limit > 1000 && most > 1000 ? Math.ceil(value / 1000) * 1000 : value).replaceAll('-', ' ');
}

/** A calculation as people say it, such as `twelve times eight`. */
export function randomSum(random: Random): string {
  const kind = random();
  if (kind < 0.06) return `the square root of ${randomNumber(random)}`;
  if (kind < 0.12) return `${randomNumber(random)} squared`;
  if (kind < 0.16) return `half of ${randomNumber(random)}`;
  if (kind < 0.26) return `${randomNumber(random, 100)} percent of ${randomNumber(random)}`;
  const operator = () => pick(['plus', 'plus', 'minus', 'times', 'times', 'divided by', 'multiplied by'], random);
  const sum = `${randomNumber(random)} ${operator()} ${randomNumber(random)}`;
  return kind < 0.9 ? sum : `${sum} ${operator()} ${randomNumber(random)}`;
}
