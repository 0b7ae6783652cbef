import type { Language } from '../../models/model-entry.ts';
import type { NumberedVoice } from './chosen-voice.ts';

/** The speakers of a Kokoro `voices.bin` in the order of their ids, by how many there are: v0.19 has 11, v1.0 has 53. */
const NAMES: Readonly<Record<number, string>> = {
  11: 'af af_bella af_nicole af_sarah af_sky am_adam am_michael bf_emma bf_isabella bm_george bm_lewis',
  53: `af_alloy af_aoede af_bella af_heart af_jessica af_kore af_nicole af_nova af_river af_sarah af_sky am_adam am_echo
    am_eric am_fenrir am_liam am_michael am_onyx am_puck am_santa bf_alice bf_emma bf_isabella bf_lily bm_daniel bm_fable
    bm_george bm_lewis ef_dora em_alex ff_siwis hf_alpha hf_beta hm_omega hm_psi if_sara im_nicola jf_alpha jf_gongitsune
    jf_nezumi jf_tebukuro jm_kumo pf_dora pm_alex pm_santa zf_xiaobei zf_xiaoni zf_xiaoxiao zf_xiaoyi zm_yunjian zm_yunxi
    zm_yunxia zm_yunyang`,
};

/** First letters of the voices of a language: `a` is American, `b` is British. German has none. */
const LETTERS: Readonly<Record<Language, string>> = { en: 'ab', zh: 'z', de: '', fr: 'f', es: 'e', ja: 'j' };

/** Those that the makers of Kokoro grade best, in that order. */
const BEST = ['af_heart', 'af_bella', 'af_nicole', 'bf_emma', 'am_fenrir', 'am_michael', 'am_puck', 'ff_siwis'];

/** The names of a Kokoro model's speakers by id, where the model file does not say them; undefined for an unknown number. */
export const kokoroNames = (speakers: number): readonly string[] | undefined => NAMES[speakers]?.split(/\s+/);

/** The voices that speak `language`, best first; all of them where the names do not tell. */
export function voicesFor(names: readonly string[], language: Language): readonly NumberedVoice[] {
  const all = names.map((name, id) => ({ name, id }));
  const fitting = all.filter(({ name }) => /^[a-z][fm](?:_|$)/.test(name) && LETTERS[language].includes(name[0]!));
  const rank = ({ name }: NumberedVoice) => (BEST.includes(name) ? BEST.indexOf(name) : BEST.length);
  return (fitting.length > 0 ? fitting : all).sort((a, b) => rank(a) - rank(b));
}
