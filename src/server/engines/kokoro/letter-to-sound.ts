/** What letters are called, and how groups of letters usually sound, in Kokoro's phonemes (capitals are diphthongs). */
const LETTER_NAMES: Readonly<Record<string, string>> = {
  ...{ a: 'ˈA', b: 'bˈi', c: 'sˈi', d: 'dˈi', e: 'ˈi', f: 'ˈɛf', g: 'ʤˈi', h: 'ˈAʧ', i: 'ˈI', j: 'ʤˈA', k: 'kˈA' },
  ...{ l: 'ˈɛl', m: 'ˈɛm', n: 'ˈɛn', o: 'ˈO', p: 'pˈi', q: 'kjˈu', r: 'ˈɑɹ', s: 'ˈɛs', t: 'tˈi', u: 'jˈu', v: 'vˈi' },
  ...{ w: 'dˈʌbᵊlju', x: 'ˈɛks', y: 'wˈI', z: 'zˈi' },
};

/**
 * Spelling and sound, tried in this order: endings and beginnings, groups of consonants, a vowel before a silent e, groups
 * of vowels, single letters.
 */
const RULES: readonly (readonly [RegExp, string])[] = `
  tion→ʃən sion→ʒən cian→ʃən cious→ʃəs tious→ʃəs ture$→ʧəɹ ous$→əs able$→əbᵊl ible$→əbᵊl ^kn→n ^wr→ɹ ^ps→s ^wh→w
  ^x→z ^gh→ɡ le$→ᵊl er$→əɹ or$→əɹ ed$→d ey$→i ie$→i
  tch→ʧ sch→ʃ ch(?=[lr])→k ch→ʧ sh→ʃ th→θ ph→f gh→ ck→k dge→ʤ ng(?=[aeiou])→ŋɡ ng→ŋ nk→ŋk qu→kw sc(?=[eiy])→s
  a(?=[bcdfgklmnpstvz]e$)→A i(?=[bcdfgklmnprstvz]e$)→I o(?=[bcdfgklmnpstvz]e$)→O u(?=[bcdfgklmnprstvz]e$)→u
  e(?=[bcdfgklmnpstvz]e$)→i
  y(?=[bcdfglmnprstz]e)→I igh→I eau→O ey→A ee→i ea→i ai→A ay→A ei→A oa→O oo→u ou→W ow→O oi→Y oy→Y au→ɔ aw→ɔ ew→ju ue$→u ui→u ie→i eu→u ia→iə io→iO
  ar→ɑɹ or→ɔɹ er→əɹ ir→ɜɹ ur→ɜɹ
  c(?=[eiy])→s g(?=[eiy])→ʤ y(?=[aeiou])→j ^y→j y$→i e$→ a$→ə o$→O i$→i u$→u a→æ e→ɛ i→ɪ o→ɑ u→ʌ y→ɪ b→b c→k d→d f→f
  g→ɡ h→h j→ʤ k→k l→l m→m n→n p→p q→k r→ɹ s→s t→t v→v w→w x→ks z→z`
  .trim()
  .split(/\s+/)
  .map((rule) => rule.split('→'))
  .map(([spelling, sound]) => [new RegExp(spelling!, 'y'), sound!] as const);

const VOWEL = /[AIOQWYæɑɔəɛɜɪʊʌiuᵊ]/;

/** How a word in small letters that no dictionary has is probably said: rules of thumb, with the stress on its beginning. */
export function guessed(word: string): string {
  const plain = word.replace(/([bcdfgklmnpqrtvz])\1/g, '$1');
  let sound = '';
  for (let at = 0; at < plain.length; ) {
    const [length, part] = matched(plain, at);
    sound += part;
    at += length;
  }
  const first = sound.search(VOWEL);
  if (first < 0) return spelled(word);
  return `${sound.slice(0, first)}ˈ${sound.slice(first)}`;
}

function matched(word: string, at: number): [number, string] {
  for (const [pattern, sound] of RULES) {
    pattern.lastIndex = at;
    const match = pattern.exec(word);
    if (match) return [match[0].length, sound];
  }
  return [1, ''];
}

/** The letters of a word by their names, with a space between. */
export function spelled(word: string): string {
  return [...word.toLowerCase()].flatMap((letter) => LETTER_NAMES[letter] ?? []).join(' ');
}
