import type { Library, Pointer } from './library.ts';

/** One piece of the best path: a word or a filler such as `<sil>`. */
export type Segment = {
  readonly word: string;
  /** First and last frame, of 10 ms. */
  readonly start: number;
  readonly end: number;
  /** Of the sound, and of the language model, both in the library's logarithm. */
  readonly score: number;
  readonly language: number;
};

const CEPSTRUM = 13;
/** Where `feat_t` keeps its `cmn_t *`, and `cmn_t` its frame count (public headers, 64 bits). */
const CMN_OFFSET = 88;
const CMN_FRAMES_OFFSET = 24;
/** The library counts probabilities as logarithms of this base. */
const LOG_BASE = Math.log(1.0001);

/** One decoder of the C library: decodes one utterance at a time. Every call is synchronous and computes. */
export class Decoder {
  readonly pointer: Pointer;
  readonly #library: Library;
  readonly #config: Pointer;
  readonly #cmn: Pointer;

  /** `options` are the library's, without the dash. Throws when the library refuses them. */
  constructor(library: Library, options: Readonly<Record<string, string>>) {
    this.#library = library;
    const words = Object.entries(options).flatMap(([name, value]) => [`-${name}`, value]);
    this.#config = library.cmd_ln_parse_r(null, library.ps_args(), words.length, words, 1);
    if (!this.#config) throw new Error('PocketSphinx does not know one of the options it was given.');
    this.pointer = library.ps_init(this.#config);
    if (!this.pointer) {
      library.cmd_ln_free_r(this.#config);
      throw new Error('PocketSphinx cannot read its acoustic model or dictionary.');
    }
    this.#cmn = library.readPointer(library.ps_get_feat(this.pointer), CMN_OFFSET);
  }

  /** Reads a language model (ARPA or binary). Throws when it cannot be read. */
  readModel(file: string): Pointer {
    const model = this.#library.ngram_model_read(this.#config, file, 0, this.#library.ps_get_logmath(this.pointer));
    if (!model) throw new Error(`PocketSphinx cannot read the language model ${file}.`);
    return model;
  }

  useModel(name: string, model: Pointer): void {
    this.#check(this.#library.ps_set_lm(this.pointer, name, model), 'take the language model');
    this.#check(this.#library.ps_set_search(this.pointer, name), 'search with the language model');
  }

  knows(word: string): boolean {
    return Boolean(this.#library.ps_lookup_word(this.pointer, word));
  }

  addWord(word: string, phones: string): void {
    this.#check(this.#library.ps_add_word(this.pointer, word, phones, 0) >= 0 ? 0 : -1, `take the word ${word}`);
  }

  start(): void {
    this.#check(this.#library.ps_start_utt(this.pointer), 'start an utterance');
  }

  /** Takes 16 kHz samples; with `search` false they pass the front end only. */
  process(samples: Int16Array, search = true): void {
    const result = this.#library.ps_process_raw(this.pointer, samples, samples.length, search ? 0 : 1, 0);
    this.#check(Math.min(0, result), 'decode');
  }

  end(): void {
    this.#check(this.#library.ps_end_utt(this.pointer), 'end an utterance');
  }

  /** The best text so far and its score (logarithm of base 1.0001); empty text when there is none. */
  hypothesis(): { text: string; score: number } {
    const score = new Int32Array(1);
    return { text: this.#library.ps_get_hyp(this.pointer, score) ?? '', score: score[0]! };
  }

  /** Natural logarithm of the best path's posterior in the lattice; only after `end`. */
  logPosterior(): number {
    return this.#library.ps_get_prob(this.pointer) * LOG_BASE;
  }

  segments(): Segment[] {
    const segments: Segment[] = [];
    const start = new Int32Array(1);
    const end = new Int32Array(1);
    const score = new Int32Array(1);
    const language = new Int32Array(1);
    const order = new Int32Array(1);
    let at = this.#library.ps_seg_iter(this.pointer);
    while (at) {
      const word = this.#library.ps_seg_word(at) ?? '';
      this.#library.ps_seg_frames(at, start, end);
      this.#library.ps_seg_prob(at, score, language, order);
      segments.push({ word, start: start[0]!, end: end[0]!, score: score[0]!, language: language[0]! });
      at = this.#library.ps_seg_next(at);
    }
    return segments;
  }

  /** Mean of the cepstrum that is taken off the features, and the number of frames it rests on. */
  cepstralMean(): { mean: Float32Array; frames: number } {
    const mean = new Float32Array(CEPSTRUM);
    this.#library.cmn_live_get(this.#cmn, mean);
    return { mean, frames: this.#library.readInt(this.#cmn, CMN_FRAMES_OFFSET) };
  }

  setCepstralMean(mean: Float32Array): void {
    this.#library.cmn_live_set(this.#cmn, mean);
  }

  close(): void {
    this.#library.ps_free(this.pointer);
    this.#library.cmd_ln_free_r(this.#config);
  }

  #check(result: number, doing: string): void {
    if (result < 0) throw new Error(`PocketSphinx could not ${doing}.`);
  }
}
