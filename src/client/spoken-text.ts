import type { ReplyWord } from '../protocol/messages.ts';

/** Which part of a reply's text is behind, at and before the voice, as offsets into the text. */
export type Spoken = { readonly from: number; readonly to: number };

/**
 * Finds the words that are spoken in the text as it was written: what the voice leaves out (signs, emphasis) is
 * passed over, and a word that was written otherwise (a number, say) is skipped.
 */
export class SpokenText {
  #text = '';
  #folded = '';
  #places: { start: number; end: number; from: number; to: number }[] = [];
  #waiting: ReplyWord[] = [];
  #cursor = 0;

  get text(): string {
    return this.#text;
  }

  append(text: string): void {
    this.#text += text;
    this.#folded = this.#text.toLowerCase();
    // Speech may be announced before its text: then its words are found now.
    if (this.#waiting.length > 0) this.add(this.#waiting.splice(0));
  }

  /** Adds words in the order they are spoken, their times in samples of the reply's speech. */
  add(words: readonly ReplyWord[]): void {
    for (const [i, word] of words.entries()) {
      const bare = word.text.toLowerCase().replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, '');
      if (bare === '') continue;
      const from = this.#find(bare);
      if (from < 0) {
        const rest = words.length - i;
        // Nothing of what is left is there yet, so it is the text that is late and not the word that differs.
        if (this.#cursor >= this.#folded.trimEnd().length) {
          this.#waiting.push(...words.slice(-rest));
          return;
        }
        continue;
      }
      this.#cursor = from + bare.length;
      this.#places.push({ start: word.start, end: word.end, from, to: this.#cursor });
    }
  }

  /** Where the voice is after `samples` of the reply's speech; undefined where its words are not known. */
  at(samples: number): Spoken | undefined {
    if (this.#places.length === 0) return undefined;
    let last: Spoken = { from: 0, to: 0 };
    for (const place of this.#places) {
      if (place.start > samples) break;
      last = samples < place.end ? place : { from: place.to, to: place.to };
    }
    return { from: last.from, to: last.to };
  }

  #find(word: string): number {
    // Only a little ahead: a common word must not be found three sentences later.
    const limit = this.#cursor + 60 + word.length;
    for (let from = this.#folded.indexOf(word, this.#cursor); from >= 0 && from < limit; ) {
      if (isBoundary(this.#folded[from - 1]) && isBoundary(this.#folded[from + word.length])) return from;
      from = this.#folded.indexOf(word, from + 1);
    }
    return -1;
  }
}

function isBoundary(character: string | undefined): boolean {
  return character === undefined || !/[\p{L}\p{N}]/u.test(character);
}
