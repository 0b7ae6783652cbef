/** Whisper's text without what it writes for sounds that are no words: `[BLANK_AUDIO]`, `(music)`, `*sighs*`, ♪. */
export function heardText(text: string): string {
  const words = text
    .replace(/\[[^\]]*\]|\([^)]*\)|（[^）]*）|\*[^*]*\*|[♪♫]/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return /[\p{L}\p{N}]/u.test(words) ? words : '';
}
