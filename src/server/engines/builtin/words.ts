import { expandContractions } from './contractions.ts';

/** Words that carry little: missing or extra ones hardly change what was meant. */
export const LIGHT = new Set(
  (
    'a an the is are was were am be been do does did can could would will shall may to of for from in on at by with and or but so ' +
    'then now well please okay hey um uh er oh ah hmm like just really very quite too also that this these those there here it its ' +
    'me my i you your we us our he she they him her them his their some any again today have has had what which who how'
  ).split(' '),
);

/** Lower-case words of what was said or typed, contractions undone, signs of arithmetic as words, digits kept. */
export function toWords(text: string): string[] {
  const plain = text
    .toLowerCase()
    .normalize('NFKC')
    .replace(/[’‘`]/g, "'")
    .replace(/(\d),(?=\d{3}\b)/g, '$1')
    .replace(/²|\^ ?2\b/g, ' squared ')
    .replace(/³|\^ ?3\b/g, ' cubed ')
    .replace(/\^/g, ' to the power of ')
    .replace(/√/g, ' square root of ')
    .replace(/[×*]/g, ' times ')
    .replace(/(\d) ?x ?(?=\d)/g, '$1 times ')
    .replace(/÷|(?<=[\d)]) ?\/ ?(?=\d)/g, ' divided by ')
    .replace(/\+/g, ' plus ')
    .replace(/%/g, ' percent ')
    .replace(/(?<=\d) ?[-−–] ?(?=\d)|(?<=\s)[-−–](?=\s)/g, ' minus ')
    .replace(/[-−](?=\d)/g, ' minus ')
    .replace(/-/g, ' ');
  const words = plain.match(/\d+(?:\.\d+)?|[\p{L}][\p{L}']*/gu) ?? [];
  return expandContractions(words.map((word) => word.replace(/'+$/, '')));
}

/** How alike two words look, 0 to 1: 1 less the edits between them per letter of the longer one. */
export function likeness(a: string, b: string): number {
  if (a === b) return 1;
  if (Math.abs(a.length - b.length) > 2) return 0;
  let [row, next] = [ROWS[0]!, ROWS[1]!];
  for (let j = 0; j <= b.length; j++) row[j] = j;
  for (let i = 1; i <= a.length; i++) {
    next[0] = i;
    for (let j = 1; j <= b.length; j++) {
      const swapped = row[j - 1]! + (a.charCodeAt(i - 1) === b.charCodeAt(j - 1) ? 0 : 1);
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, swapped);
    }
    [row, next] = [next, row];
  }
  return 1 - row[b.length]! / Math.max(a.length, b.length);
}

/** Kept between calls: there are thousands of them per sentence, and none is interrupted. */
const ROWS: readonly number[][] = [[], []];
