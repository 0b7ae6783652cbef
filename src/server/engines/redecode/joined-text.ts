const NO_SPACES = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}，。！？、]$/u;
const NO_SPACE_BEFORE = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}，。！？、]/u;

/** Two texts as one, with a space between them where the script has spaces. */
export function joinedText(before: string, after: string): string {
  if (!before || !after) return before || after;
  return NO_SPACES.test(before) && NO_SPACE_BEFORE.test(after) ? before + after : `${before} ${after}`;
}
