import { createRequire } from 'node:module';
import type { LibraryHandle } from 'koffi';

/** A pointer of the C library. */
export type Pointer = unknown;

/** The functions of SphinxBase and PocketSphinx 0.8 "5prealpha" (soname 3, Debian 11 to 13) that are used. */
export type Library = { [Name in keyof Prototypes]: (...values: unknown[]) => Result<Prototypes[Name]> } & {
  /** The 32-bit number at `offset` bytes behind `pointer`, and the pointer there. */
  readInt(pointer: Pointer, offset: number): number;
  readPointer(pointer: Pointer, offset: number): Pointer;
};

type Prototypes = typeof PROTOTYPES;
type Result<Prototype> = Prototype extends `int${string}`
  ? number
  : Prototype extends `const char *${string}`
    ? string | null
    : Pointer;

const PROTOTYPES = {
  ps_args: 'void *ps_args()',
  ps_init: 'void *ps_init(void *config)',
  ps_free: 'int ps_free(void *ps)',
  ps_start_utt: 'int ps_start_utt(void *ps)',
  ps_process_raw: 'int ps_process_raw(void *ps, const int16_t *data, size_t n, int no_search, int full_utt)',
  ps_end_utt: 'int ps_end_utt(void *ps)',
  ps_get_hyp: 'const char *ps_get_hyp(void *ps, int32_t *score)',
  ps_get_prob: 'int32_t ps_get_prob(void *ps)',
  ps_get_n_frames: 'int ps_get_n_frames(void *ps)',
  ps_seg_iter: 'void *ps_seg_iter(void *ps)',
  ps_seg_next: 'void *ps_seg_next(void *seg)',
  ps_seg_word: 'const char *ps_seg_word(void *seg)',
  ps_seg_prob: 'int32_t ps_seg_prob(void *seg, int32_t *ascr, int32_t *lscr, int32_t *lback)',
  ps_seg_frames: 'void ps_seg_frames(void *seg, int *start, int *end)',
  ps_add_word: 'int ps_add_word(void *ps, const char *word, const char *phones, int update)',
  ps_lookup_word: 'void *ps_lookup_word(void *ps, const char *word)',
  ps_get_logmath: 'void *ps_get_logmath(void *ps)',
  ps_get_feat: 'void *ps_get_feat(void *ps)',
  ps_set_lm: 'int ps_set_lm(void *ps, const char *name, void *lm)',
  ps_set_search: 'int ps_set_search(void *ps, const char *name)',
  cmd_ln_parse_r: 'void *cmd_ln_parse_r(void *init, void *defs, int32_t argc, const char **argv, int32_t strict)',
  cmd_ln_free_r: 'int cmd_ln_free_r(void *config)',
  err_set_logfp: 'void err_set_logfp(void *stream)',
  cmn_live_get: 'void cmn_live_get(void *cmn, float *vec)',
  cmn_live_set: 'void cmn_live_set(void *cmn, const float *vec)',
  ngram_model_read: 'void *ngram_model_read(void *config, const char *file, int type, void *lmath)',
} as const;

/**
 * Loads the C library from `files`: it and the libraries it needs, in any order.
 * Throws what the dynamic loader says when one of them cannot be loaded.
 */
export function loadLibrary(files: readonly string[]): Library {
  const koffi = loadKoffi();
  const handles = loadInOrder((file) => koffi.load(file, { global: true }), files);
  const bind = (prototype: string) => {
    let failure: unknown;
    for (const handle of handles) {
      try {
        return handle.func(prototype);
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  };
  const functions = Object.fromEntries(Object.entries(PROTOTYPES).map(([name, prototype]) => [name, bind(prototype)]));
  const library = {
    ...functions,
    readInt: (pointer: Pointer, offset: number) => koffi.decode(pointer, offset, 'int32_t'),
    readPointer: (pointer: Pointer, offset: number) => koffi.decode(pointer, offset, 'void *'),
  } as Library;
  library.err_set_logfp(null);
  return library;
}

/** What calls C from Node; its native part is an optional package. Throws with the fix where that is missing. */
export function loadKoffi(): typeof import('koffi') {
  try {
    return createRequire(import.meta.url)('koffi') as typeof import('koffi');
  } catch (cause) {
    const part = `@koromix/koffi-${process.platform}-${process.arch}`;
    throw new Error(
      `koffi, which calls it, has no native part: npm install ${part}, which --omit=optional leaves out.`,
      {
        cause,
      },
    );
  }
}

/** A library can only be loaded after those it needs, so go round until no more can be. */
function loadInOrder(load: (file: string) => LibraryHandle, files: readonly string[]): LibraryHandle[] {
  const handles: LibraryHandle[] = [];
  let waiting = [...files];
  while (waiting.length > 0) {
    let failure: unknown;
    const failed = waiting.filter((file) => {
      try {
        handles.push(load(file));
        return false;
      } catch (error) {
        failure = error;
        return true;
      }
    });
    if (failed.length === waiting.length) throw failure;
    waiting = failed;
  }
  return handles;
}
