const SPOKEN =
  `the a of and to in it is that was for on you with as at be this have from or one had by word but not what
all were we when your can said there use an each which she do how their if will up other about out many then them these so
some her would make like him into time has look two more write go see number no way could people my than first water been
call who oil its now find long down day did get come made may part cat dog house tree little red blue fast slow happy
story once upon friend play sun moon walk talk three four five six seven`.split(/\s+/);
const MARKS = ['.', ',', '?', '!'];
/** Such as text is written with by a person or by a grammar, but not babbled. */
const SILENT = ['\n\n', ' {', '"}', '":', ' "', '",', '{"', '}}'];

/**
 * A byte-level BPE vocabulary: every byte, common words with the space before them, and the merges that lead there.
 * `spoken` are the tokens that a babbling model may say.
 */
export function words(): { tokens: string[]; merges: string[]; spoken: Set<string> } {
  const tokens = new Set(Array.from({ length: 256 }, (_, byte) => BYTE_LETTERS[byte]!));
  const merges = new Set<string>();
  for (const text of [...SPOKEN.map((word) => ` ${word}`), ...SILENT]) {
    const letters = [...byteLetters(text)];
    let left = letters[0]!;
    for (const letter of letters.slice(1)) {
      merges.add(`${left} ${letter}`);
      left += letter;
      tokens.add(left);
    }
  }
  const spoken = new Set([...SPOKEN.map((word) => byteLetters(` ${word}`)), ...MARKS]);
  return { tokens: [...tokens], merges: [...merges], spoken };
}

/** The text as GPT-2's vocabularies spell it: one printable letter per byte of its UTF-8. */
export function byteLetters(text: string): string {
  return [...Buffer.from(text)].map((byte) => BYTE_LETTERS[byte]).join('');
}

/** Printable bytes stand for themselves, the others for the letters from U+0100 on, in order. */
const BYTE_LETTERS = (() => {
  const printable = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
  let others = 0;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : 0x100 + others++));
})();
