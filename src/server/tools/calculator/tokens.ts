import { LISTS } from './functions.ts';

/** A piece of an expression. */
export type Token = { readonly kind: 'number' | 'name' | 'sign'; readonly text: string };

/** Signs as people and models write them. */
const WRITTEN: readonly [RegExp, string][] = [
  [/\*\*/g, '^'],
  [/[×·∙]|(?<=[\d)])\s*x\s*(?=[\d(])/g, '*'],
  [/[÷∕]/g, '/'],
  [/[−–]/g, '-'],
  [/√/g, ' sqrt '],
  [/²/g, '^2'],
  [/³/g, '^3'],
  [/percent\b/g, '%'],
  [/=\s*\??\s*$/, ''],
];

/** The pieces of an expression; throws a sentence about what is not known. */
export function tokens(text: string): Token[] {
  let rest = text.toLowerCase();
  for (const [pattern, sign] of WRITTEN) rest = rest.replace(pattern, sign);
  const found: Token[] = [];
  let isList = 0;
  while (rest.trim() !== '') {
    rest = rest.trimStart();
    // In a list of numbers a comma separates; elsewhere it may group thousands.
    const thousands = isList === 0 ? /^\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\d,])/.exec(rest)?.[0] : undefined;
    const number = thousands ?? /^(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?/.exec(rest)?.[0];
    const name = /^[a-zπ]+(?:10|2)?/.exec(rest)?.[0];
    const sign = '+-*/%^!(),'.includes(rest[0]!) ? rest[0]! : undefined;
    const token = number ?? name ?? sign;
    if (token === undefined) throw new Error(`"${rest[0]}" is not known here.`);
    if (token === '(') isList += isList > 0 || Object.hasOwn(LISTS, found.at(-1)?.text ?? '') ? 1 : 0;
    if (token === ')') isList = Math.max(0, isList - 1);
    const kind = number === undefined ? (name === undefined ? 'sign' : 'name') : 'number';
    found.push({ kind, text: kind === 'number' ? token.replaceAll(',', '') : token });
    rest = rest.slice(token.length);
  }
  return found;
}
