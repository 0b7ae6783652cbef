/**
 * At most how many phonemes a text may have, estimated on the safe side: what cannot be read as a word is spelled, and a digit
 * is a word. sherpa-onnx ends the process when a Kokoro model gets 510 phonemes in one sentence.
 */
export function mostPhonemes(text: string): number {
  return (text.match(/\S+/g) ?? []).reduce((sum, word) => sum + ofWord(word) + 1, 0);
}

/** As many are safe, in one piece. */
export const MOST_PHONEMES = 380;

function ofWord(word: string): number {
  const letters = word.match(/\p{L}+/gu)?.join('') ?? '';
  const isSpelled = !/[aeiouyà-ÿ]/i.test(letters) || /[^aeiouyà-ÿ]{5}/i.test(letters) || /^\p{Lu}{2,}$/u.test(letters);
  let sum = 0;
  for (const character of word) {
    if (/\p{Script=Han}/u.test(character)) sum += 8;
    else if (/[\p{Script=Hiragana}\p{Script=Katakana}]/u.test(character)) sum += 4;
    else if (/[Ā-ſ]/.test(character)) sum += 16;
    else if (/\p{L}/u.test(character)) sum += isSpelled ? 9 : 1.7;
    else if (/\p{N}/u.test(character)) sum += 10;
    else sum += /[.,;:!?'"]/.test(character) ? 1 : 18;
  }
  return sum;
}
