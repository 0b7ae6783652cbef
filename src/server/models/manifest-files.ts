import type { Language, ModelFile } from './model-entry.ts';

/** A file of a manifest: its role, its path, and size and checksum where a public source tells them. */
export const file = (role: string, path: string, bytes?: number, sha256?: string): ModelFile => ({
  role,
  path,
  ...(bytes !== undefined && { bytes }),
  ...(sha256 !== undefined && { sha256 }),
});

/** The size of all files together; every one must be known. */
export const sum = (files: readonly ModelFile[]): number =>
  files.reduce((total, { bytes, path }) => {
    if (bytes === undefined) throw new Error(`The size of ${path} is not known; give totalBytes.`);
    return total + bytes;
  }, 0);

/** Where espeak-ng's data is taken from for every voice that needs it. */
export const ESPEAK_SOURCE = {
  repo: 'csukuangfj/kokoro-multi-lang-v1_0',
  revision: '7e9b67b79bfdcbd2b4bc144370345fcceac3cb0c',
} as const;

/** With these alone sherpa-onnx spoke the same as with all 355 files, tried for each language with Debian's espeak-ng-data. */
const ESPEAK: Readonly<Record<Language, readonly string[]>> = {
  en: ['en_dict', 'lang/gmw/en', 'lang/gmw/en-US'],
  zh: ['cmn_dict', 'lang/sit/cmn'],
  de: ['de_dict', 'lang/gmw/de'],
  fr: ['fr_dict', 'lang/roa/fr'],
  es: ['es_dict', 'lang/roa/es'],
  ja: ['ja_dict', 'lang/jpx/ja'],
};

/**
 * What sherpa-onnx needs of espeak-ng's data to speak these languages. Checksums: github.com/k2-fsa/sherpa-onnx's archive
 * kokoro-int8-multi-lang-v1_1, whose files of this name are the same, as pinned by VoxLink's LocalModelCatalog.
 */
export const espeak = (...languages: Language[]): ModelFile[] =>
  [
    file(
      'espeak',
      'espeak-ng-data/phondata',
      550_424,
      '4e0288957874029a8c3c9f41a8f517ad4bf18127046decbdd4b9d1d6807ce3a3',
    ),
    file(
      'espeak',
      'espeak-ng-data/phonindex',
      39_074,
      '3ca7b8fa3b42624e4b0f152707e7a39245fce569aa99ea47c055d9e622fcf0c4',
    ),
    file(
      'espeak',
      'espeak-ng-data/phontab',
      55_796,
      '886f3fa402cb0ba73d483aa8ad000af47a6b7cc06293c75a97913fba68a530f6',
    ),
    file(
      'espeak',
      'espeak-ng-data/intonations',
      2_040,
      '3f8af65fd3eda9759a10f021d61361c120871f463515229c925995c7f90918cc',
    ),
    ...languages.flatMap((language) => ESPEAK[language]).map((name) => file('espeak', `espeak-ng-data/${name}`)),
  ].map((one) => ({ ...one, ...ESPEAK_SOURCE }));
