import { adaptCepstralMean } from './cepstral-mean.ts';
import { Decoder } from './decoder.ts';
import type { PocketSphinxFiles } from './files.ts';
import type { Library } from './library.ts';
import type { NoiseSuppressor } from './noise-suppression.ts';
import { PRONUNCIATIONS } from './pronunciations.ts';
import { type Evidence, evidenceOf } from './understood.ts';

/** What an ear is made of. */
export type EarParts = {
  readonly library: Library;
  readonly files: PocketSphinxFiles;
  /** The ARPA file of what is expected; without it the general English model is used. */
  readonly expected?: string;
  readonly openSuppressor?: () => NoiseSuppressor;
};

const OPTIONS = { remove_silence: 'no', cmn: 'live', fwdflat: 'no', maxhmmpf: '5000', maxwpf: '10' };
/** More weight than usual: what is expected is well known, the sound is not. */
const EXPECTED_WEIGHT = { lw: '9' };
/** Samples that are decoded in one go. */
const STEP = 1600;
/** How much is heard before the channel is believed to be known and decoding begins, in samples. */
const BEGINNING = 12_800;

/** Decodes one utterance at a time, and is used for many. Its calls compute, for some tenth of the time they are given. */
export class Ear {
  readonly #decoder: Decoder;
  readonly #usualMean: Float32Array;
  readonly #parts: EarParts;
  #suppressor: NoiseSuppressor | undefined;
  #waiting: Int16Array[] = [];
  #heard = 0;
  #decoding = false;
  #speaking = false;

  constructor(parts: EarParts) {
    const { library, files, expected } = parts;
    this.#parts = parts;
    this.#decoder = new Decoder(library, {
      ...OPTIONS,
      ...(expected && EXPECTED_WEIGHT),
      hmm: files.acousticModel,
      dict: files.dictionary,
    });
    for (const [word, phones] of Object.entries(PRONUNCIATIONS)) {
      if (!this.#decoder.knows(word)) this.#decoder.addWord(word, phones);
    }
    this.#decoder.useModel('words', this.#decoder.readModel(expected ?? files.languageModel));
    this.#usualMean = this.#decoder.cepstralMean().mean;
  }

  /** Begins an utterance; one that was not finished is forgotten. */
  start(): void {
    this.cancel();
    this.#suppressor = this.#parts.openSuppressor?.();
    this.#waiting = [];
    this.#heard = 0;
    this.#decoding = false;
    this.#speaking = true;
  }

  /** Takes the next samples (16 kHz, -1 to 1). */
  hear(samples: Float32Array): void {
    this.#take(this.#suppressor ? this.#suppressor.process(samples) : samples);
  }

  /** The best text so far. */
  text(): string {
    return this.#decoding ? this.#decoder.hypothesis().text : '';
  }

  /** Ends the utterance: its text, and what tells whether it was understood. */
  finish(): { text: string; evidence: Evidence } {
    if (this.#suppressor) this.#take(this.#suppressor.flush());
    if (!this.#decoding) this.#begin();
    this.#endUtterance();
    return { text: this.#decoder.hypothesis().text, evidence: evidenceOf(this.#decoder) };
  }

  /** Ends the utterance without an answer. */
  cancel(): void {
    if (this.#speaking) this.#endUtterance();
  }

  close(): void {
    this.cancel();
    this.#decoder.close();
  }

  #endUtterance(): void {
    this.#suppressor?.close();
    this.#suppressor = undefined;
    this.#speaking = false;
    if (!this.#decoding) return;
    this.#decoder.end();
  }

  #take(samples: Float32Array): void {
    if (samples.length === 0) return;
    this.#heard += samples.length;
    const pcm = new Int16Array(samples.length);
    for (let i = 0; i < pcm.length; i++) pcm[i] = Math.max(-32768, Math.min(32767, Math.round(samples[i]! * 32768)));
    if (this.#decoding) return this.#decode(pcm);
    this.#waiting.push(pcm);
    if (this.#heard >= BEGINNING) this.#begin();
  }

  #begin(): void {
    const beginning = new Int16Array(this.#heard);
    let at = 0;
    for (const piece of this.#waiting) {
      beginning.set(piece, at);
      at += piece.length;
    }
    this.#waiting = [];
    adaptCepstralMean(this.#decoder, this.#usualMean, beginning);
    this.#decoder.start();
    this.#decoding = true;
    this.#decode(beginning);
  }

  #decode(pcm: Int16Array): void {
    for (let at = 0; at < pcm.length; at += STEP) {
      this.#decoder.process(pcm.subarray(at, at + STEP));
    }
  }
}
