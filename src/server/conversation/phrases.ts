import { endsClause, endsSentence, endsSentenceBefore, insideMarkup } from './boundaries.ts';
import { speakable } from './speakable.ts';
import { withoutThoughts } from './thoughts.ts';

export type PhraseSettings = {
  /** The first phrase is cut after so many words when no clause ends before. */
  readonly firstPhraseWords: number;
  /** No phrase is longer than this, in characters. */
  readonly phraseLetters: number;
};

/** `text` is shown, as written; `spoken` is said, and empty where there is nothing to say. */
export type SpeakablePhrase = { readonly text: string; readonly spoken: string };

/**
 * Cuts a reply into phrases for speech as it is written: the first one short, so that speech starts early, then sentences.
 * All `text` together is the reply without its thoughts, and does not depend on how the reply was cut into tokens.
 */
export async function* phrases(
  tokens: AsyncIterable<string>,
  settings: PhraseSettings,
): AsyncGenerator<SpeakablePhrase, void, undefined> {
  const cutter = new Cutter(settings);
  for await (const token of withoutThoughts(tokens)) {
    // One character at a time, so that a boundary is seen at the same place whatever the tokens are.
    for (let i = 0; i < token.length; i++) yield* cutter.add(token[i]!);
  }
  yield* cutter.end();
}

/** At least so many words are wanted in a first phrase that ends with a mere comma. */
const FIRST_CLAUSE_WORDS = 2;

class Cutter {
  readonly #settings: PhraseSettings;
  #phrase = '';
  #isFirst = true;
  /** The fence that ends the code block we are in. */
  #fence: string | undefined;

  constructor(settings: PhraseSettings) {
    this.#settings = settings;
  }

  *add(next: string): Generator<SpeakablePhrase> {
    if (this.#fence === undefined && endsSentenceBefore(this.#phrase, next) && !insideMarkup(this.#phrase)) {
      yield this.#take(this.#phrase.length);
    }
    this.#phrase += next;
    const end = this.#boundary(next);
    if (end > 0) yield this.#take(end);
  }

  *end(): Generator<SpeakablePhrase> {
    if (this.#phrase !== '') yield this.#take(this.#phrase.length);
  }

  /** How much of what has come makes a phrase, 0 for nothing yet; `next` is its last character. */
  #boundary(next: string): number {
    const phrase = this.#phrase;
    const { phraseLetters, firstPhraseWords } = this.#settings;
    if (next === '\n') return phrase.trim() === '' ? 0 : phrase.length;
    const long = phrase.length > phraseLetters;
    if (this.#fence !== undefined || (!long && /^\s*(```|~~~)[^`]*$/.test(phrase))) return 0;
    if (insideMarkup(phrase) && !long) return 0;
    // An end that comes one character too late is no end: the phrase is cut before.
    if (phrase.trim().length <= phraseLetters) {
      if (endsSentence(phrase)) return phrase.length;
      if (this.#isFirst && endsClause(phrase) && countWords(phrase) >= FIRST_CLAUSE_WORDS) return phrase.length;
      if (this.#isFirst && /\s/.test(next) && countWords(phrase) >= firstPhraseWords) return phrase.length;
    }
    return long ? forcedEnd(phrase, phraseLetters) : 0;
  }

  #take(length: number): SpeakablePhrase {
    const text = this.#phrase.slice(0, length);
    this.#phrase = this.#phrase.slice(length);
    const fence = /^\s*(```|~~~)[^`]*\n$/.exec(text)?.[1];
    const isCode = this.#fence !== undefined || fence !== undefined;
    if (fence !== undefined && (this.#fence === undefined || this.#fence === fence)) {
      this.#fence = this.#fence === undefined ? fence : undefined;
    }
    const spoken = isCode ? '' : speakable(text);
    if (spoken !== '') this.#isFirst = false;
    return { text, spoken };
  }
}

const countWords = (text: string) => text.match(/[^\s\p{P}\p{S}][^\s]*/gu)?.length ?? 0;

/** Where to cut what has grown too long: after its last clause, else after its last word, else in a word. */
function forcedEnd(phrase: string, most: number): number {
  const within = phrase.slice(0, most);
  const clause = within.search(/[,;:–—](?:\s)(?!.*[,;:–—]\s)/su);
  if (clause >= most / 3) return clause + 2;
  const space = within.search(/\s\S*$/u);
  if (space > 0 && within.slice(0, space).trim() !== '') return space + 1;
  const high = within.charCodeAt(most - 1);
  return high >= 0xd800 && high <= 0xdbff ? most - 1 || 2 : most;
}
