const SIGNS = [...' !"\'(),-.:;?—…“”'];
const PHONEMES = [
  ...'abcdefghijklmnopqrstuvwxyzæçðøħŋœɐɑɒɔɕɖəɚɛɜɟɡɣɤɥɨɪɬɯɰɱɲɳɴɸɹɻɽɾʀʁʂʃʈʊʋʌʎʐʑʒʔʝˈˌːʰʲθχβʤʧɫᵊᵻ\u0303\u0329',
];

/** The text of a `tokens.txt` with the letters that espeak-ng's phonemes are written in: one `token id` per line. */
export function tokensFile(first: readonly string[], more: readonly string[] = []): string {
  const tokens = [...first, ...SIGNS, ...PHONEMES, ...more];
  return tokens.map((token, id) => `${token} ${id}\n`).join('');
}
