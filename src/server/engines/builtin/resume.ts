/** The bare words of a text, by which what was heard is found again in what was to be said. */
export function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? [];
}

/** Whether `heard` are the first words of `full`. */
export function sameWords(full: readonly string[], heard: readonly string[]): boolean {
  return heard.length > 0 && heard.length <= full.length && heard.every((word, i) => full[i] === word);
}

/** What is left of `full` after the words of `heard`, from the beginning of the sentence that was cut;
 * undefined when these are not its beginning or nothing is left. */
export function rest(full: string, heard: string): string | undefined {
  const words = wordsOf(heard);
  if (words.length === 0) return full;
  if (!sameWords(wordsOf(full), words)) return undefined;
  const matches = [...full.matchAll(/[\p{L}\p{N}']+/gu)];
  const next = matches[words.length];
  if (!next) return undefined;
  const sentence = full.slice(0, next.index).search(/[^.!?]*$/);
  const begun = full.slice(sentence, next.index);
  // Half a sentence is better heard from its beginning; a count goes on where it was.
  const isCount = /(?:[\p{L}-]+, ){2}/u.test(full.slice(sentence, sentence + 60));
  const left = full.slice(isCount || begun.trim() === '' ? next.index : sentence).trimStart();
  return left[0]!.toUpperCase() + left.slice(1);
}
