/** After these comes what they belong to, so their stop does not end a sentence. */
const TITLES = new Set(
  (
    'dr mr mrs ms prof st vs e.g i.e cf approx rev gen col sgt capt lt maj hon pres gov sen rep mt ' +
    'messrs ca z.b bzw'
  ).split(' '),
);
/** These may end a sentence: what follows tells. */
const ENDINGS = new Set(
  'etc a.m p.m am pm inc ltd jr sr co corp dept ave blvd rd jan feb mar apr jun jul aug sep sept oct nov dec al est min max usw'.split(
    ' ',
  ),
);
/** These end a sentence unless a number follows. */
const NUMBERED = new Set('no nos fig figs vol p pp ch sec art'.split(' '));
const CLOSERS = '["\'”’»)\\]}*_~」』】）]';
const STOPPED = new RegExp(`[.!?…](${CLOSERS}*)\\s+$`, 'u');
const CJK_STOPPED = new RegExp(`[。！？｡]${CLOSERS}*$`, 'u');
const IS_CLOSER = new RegExp(`^(?:${CLOSERS}|[。！？｡])$`, 'u');

/** Whether `phrase` ends with a sentence and the space after it, whatever may follow. */
export function endsSentence(phrase: string): boolean {
  const stop = STOPPED.exec(phrase);
  return stop !== null && stop[1] === '' && /\s/.test(phrase.at(-1) ?? '') && kindOfStop(phrase) === 'end';
}

/** Whether `next` shows that a sentence ended before it: after a closing quote, an abbreviation, a stop without a space. */
export function endsSentenceBefore(phrase: string, next: string): boolean {
  if (CJK_STOPPED.test(phrase)) return !IS_CLOSER.test(next) && !/\s/.test(next);
  const stop = STOPPED.exec(phrase);
  if (!stop || /\s/.test(next)) return false;
  const kind = kindOfStop(phrase);
  if (kind === 'number') return !/\p{N}/u.test(next);
  return (kind === 'perhaps' || (kind === 'end' && stop[1] !== '')) && !/\p{Ll}/u.test(next);
}

/** Whether `phrase` ends with a comma, a dash or the like, and the space after it. */
export function endsClause(phrase: string): boolean {
  return /(?:[,;:][^\S\n]|\s[-–—]\s|—|[，、；：])$/u.test(phrase);
}

/** Whether something is open at the end of `phrase` that may not be torn: code, a link. */
export function insideMarkup(phrase: string): boolean {
  if ((phrase.match(/`/g)?.length ?? 0) % 2 === 1) return true;
  return /\[[^\]\n]*$|\]\([^)\n]*$/.test(phrase);
}

function kindOfStop(phrase: string): 'end' | 'perhaps' | 'number' | 'no' {
  const text = phrase.trimEnd().replace(new RegExp(`${CLOSERS}+$`, 'u'), '');
  if (!text.endsWith('.') || text.endsWith('..')) return 'end';
  const word = /[^\s("'“‘«[]*$/u.exec(text.slice(0, -1))![0];
  // "1." at the beginning is the mark of a list item.
  if (/^\d{1,3}$/.test(word) && text.trim() === `${word}.`) return 'no';
  if (/^\p{Lu}$/u.test(word) && word !== 'I') return 'no';
  const plain = word.toLowerCase();
  if (TITLES.has(plain)) return 'no';
  if (NUMBERED.has(plain)) return 'number';
  if (ENDINGS.has(plain)) return 'perhaps';
  return /^(?:\p{L}\.)+\p{L}$/u.test(word) ? 'no' : 'end';
}
