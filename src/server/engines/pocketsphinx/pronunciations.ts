/** Words of the built-in brain that the dictionary lacks, in its phones (ARPAbet without stress). */
export const PRONUNCIATIONS: Readonly<Record<string, string>> = {
  recognizer: 'R EH K AH G N AY Z ER',
  recogniser: 'R EH K AH G N AY Z ER',
  pocketsphinx: 'P AA K AH T S F IH NG K S',
  flite: 'F L AY T',
  silero: 'S IH L EH R OW',
};
