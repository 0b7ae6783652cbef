import type { ReplyWord } from '../../protocol/messages.ts';

type Phrase = {
  /** As written, with its markup. */
  readonly text: string;
  readonly spoken: string;
  readonly start: number;
  words: ReplyWord[];
  complete: boolean;
};

/** How fast a voice speaks, where nothing better is known; only used for speech that was never finished. */
const LETTERS_PER_SECOND = 14;
/** A pause after punctuation lasts about as long as this many letters. */
const PAUSE_LETTERS = 4;

/** Where each word of `spoken` lies in `length` samples of speech, judged by its letters alone. */
export function estimateWords(spoken: string, length: number): ReplyWord[] {
  const words = spoken.split(/\s+/).filter((word) => word !== '');
  const weights = words.map((word) => word.length + 1 + (/[,;:.!?]["')\]]*$/.test(word) ? PAUSE_LETTERS : 0));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let before = 0;
  return words.map((text, i) => {
    const start = Math.round((before / total) * length);
    before += weights[i]!;
    return { text, start, end: Math.round((before / total) * length) };
  });
}

/** What one reply says, where each word lies in its speech, and how much of it has left the user's speaker. */
export class HeardLedger {
  readonly #rate: number;
  readonly #phrases: Phrase[] = [];
  #sent = 0;
  #played = 0;

  /** `rate`: samples per second of the reply's speech. */
  constructor(rate: number) {
    this.#rate = rate;
  }

  /** Samples of speech sent to the client. */
  get sent(): number {
    return this.#sent;
  }

  /** Samples that have left the speaker. */
  get played(): number {
    return this.#played;
  }

  /** The whole reply as written, heard or not. */
  get text(): string {
    return this.#phrases.map((phrase) => phrase.text).join('');
  }

  /** Begins the next phrase; the speech that follows is its. */
  beginPhrase(text: string, spoken: string): void {
    this.#phrases.push({ text, spoken, start: this.#sent, words: [], complete: false });
  }

  /** Adds speech of the current phrase; returns its `words` with their positions in the whole reply. */
  addSpeech(samples: number, words: readonly ReplyWord[] = []): ReplyWord[] {
    const phrase = this.#phrases.at(-1);
    this.#sent += samples;
    if (!phrase) return [];
    const placed = words.map((word) => ({ ...word, start: word.start + phrase.start, end: word.end + phrase.start }));
    phrase.words.push(...placed);
    return placed;
  }

  /** Ends the current phrase; returns its words if the engine had not told where they lie. */
  endPhrase(): ReplyWord[] {
    const phrase = this.#phrases.at(-1);
    if (!phrase) return [];
    phrase.complete = true;
    if (phrase.words.length > 0 || phrase.spoken === '' || this.#sent === phrase.start) return [];
    phrase.words = this.#placed(phrase, this.#sent - phrase.start);
    return phrase.words;
  }

  /** Takes the client's count of played samples; it never falls and never exceeds what was sent. */
  reportPlayed(samples: number): void {
    this.#played = Math.max(this.#played, Math.min(samples, this.#sent));
  }

  /**
   * Splits the reply's text at what has been heard so far; a word counts once half of it was played. Of a part of the text
   * only (letters `from` to `to`), it takes the phrases whose first word begins there.
   */
  split(from = 0, to = Number.POSITIVE_INFINITY): { heard: string; unheard: string } {
    const heard: string[] = [];
    const unheard: string[] = [];
    let written = 0;
    for (const [i, phrase] of this.#phrases.entries()) {
      const begins = written + phrase.text.length - phrase.text.trimStart().length;
      written += phrase.text.length;
      if (begins < from || begins >= to) continue;
      const end = this.#phrases[i + 1]?.start ?? this.#sent;
      if (phrase.complete && this.#played > 0 && this.#played >= end) {
        heard.push(phrase.text);
        continue;
      }
      const words =
        phrase.words.length > 0
          ? phrase.words
          : this.#placed(
              phrase,
              Math.max(end - phrase.start, (phrase.spoken.length * this.#rate) / LETTERS_PER_SECOND),
            );
      const isHeard = (word: ReplyWord) => this.#played > 0 && (word.start + word.end) / 2 <= this.#played;
      // An engine tells its words as it speaks them; of a phrase that was cut, the rest was never told.
      const untold = phrase.spoken.split(/\s+/).slice(words.length);
      heard.push(join(words.filter(isHeard)));
      unheard.push(
        words.length > 0 ? [join(words.filter((word) => !isHeard(word))), ...untold].join(' ') : phrase.text,
      );
    }
    return { heard: tidy(heard), unheard: tidy(unheard) };
  }

  #placed(phrase: Phrase, length: number): ReplyWord[] {
    return estimateWords(phrase.spoken, length).map((word) => ({
      ...word,
      start: word.start + phrase.start,
      end: word.end + phrase.start,
    }));
  }
}

const join = (words: readonly ReplyWord[]): string => words.map((word) => word.text).join(' ');
const tidy = (parts: readonly string[]): string =>
  parts
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .join(' ');
