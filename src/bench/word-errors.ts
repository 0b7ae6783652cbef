/** Lower-case words of a text, without punctuation. */
export function plainWords(text: string): string[] {
  return text.toLowerCase().match(/[a-z0-9']+/g) ?? [];
}

/** The least substitutions, insertions and deletions that turn `heard` into `said` (Levenshtein, by words). */
export function wordErrors(said: readonly string[], heard: readonly string[]): number {
  return pairWords(said, heard).filter(([a, b]) => a === undefined || b === undefined || said[a] !== heard[b]).length;
}

/** The best alignment of two word lists, as pairs of indices; `undefined` where one has no partner. */
export function pairWords(
  said: readonly string[],
  heard: readonly string[],
): [number | undefined, number | undefined][] {
  const cost = Array.from({ length: said.length + 1 }, (_, i) =>
    Array.from({ length: heard.length + 1 }, (_, j) => (i === 0 ? j : j === 0 ? i : 0)),
  );
  const swap = (i: number, j: number) => cost[i - 1]![j - 1]! + (said[i - 1] === heard[j - 1] ? 0 : 1);
  for (let i = 1; i <= said.length; i++) {
    for (let j = 1; j <= heard.length; j++) {
      cost[i]![j] = Math.min(swap(i, j), cost[i - 1]![j]! + 1, cost[i]![j - 1]! + 1);
    }
  }
  const pairs: [number | undefined, number | undefined][] = [];
  for (let i = said.length, j = heard.length; i > 0 || j > 0; ) {
    if (i > 0 && j > 0 && cost[i]![j] === swap(i, j)) pairs.push([--i, --j]);
    else if (i > 0 && cost[i]![j] === cost[i - 1]![j]! + 1) pairs.push([--i, undefined]);
    else pairs.push([undefined, --j]);
  }
  return pairs.reverse();
}
