/** What a recogniser wrote, as it is shown: without `<|tags|>`; from a model that knows capitals only, as a sentence. */
export function shownText(text: string, capitalsOnly = false): string {
  const words = text
    .replace(/<\|[^|]*\|>/g, '')
    .replace(/\s+/g, ' ')
    .trim();
  if (!capitalsOnly) return words;
  const lower = words.toLowerCase().replace(/\bi\b/g, 'I');
  return lower.replace(/\p{L}/u, (letter) => letter.toUpperCase());
}

/** Whether a model of these tokens (the text of its tokens file: a token and its number per line) writes capitals only. */
export function writesCapitalsOnly(tokens: string): boolean {
  const letters = tokens
    .split('\n')
    .map((line) => line.split(/\s/)[0]!)
    .filter((token) => !/^[<[].*[>\]]$/.test(token))
    .join('');
  return /\p{Lu}/u.test(letters) && !/\p{Ll}/u.test(letters);
}
