import type { Token } from 'node-llama-cpp';

/** What the reader needs of a model's vocabulary. */
export type Vocabulary = {
  tokenize(text: string, special: boolean): readonly Token[];
  /** The text of `tokens`, special ones included, as it stands after `before`. */
  text(tokens: readonly Token[], before: readonly Token[]): string;
  isControl(token: Token): boolean;
};

export type ReaderSettings = {
  /** Whether the model may think before it speaks. */
  readonly thinking: boolean;
  readonly tools: boolean;
  readonly stops: readonly string[];
};

/** What to do after a token: give out text, evaluate other tokens in the last one's place, end the reply. */
export type Step = { readonly text: string; readonly instead?: readonly Token[]; readonly ended?: true };

const OPEN = '<think>';
const CLOSE = '</think>';
const CALL = '<tool_call>';
const CALLED = '</tool_call>';
/** A letter may be spelt in up to four tokens; what is no text after that never becomes one. */
const LONGEST_LETTER = 4;
/** How a token is spelt may depend on those before it: whether a space comes first. */
const SPELT_AFTER = 3;
const MOST_THOUGHT = 2_048;

/** Reads a reply token by token: what is to be said, what is only thought, and where it calls tools. */
export class ReplyReader {
  /** The tokens so far as they were evaluated, and what each added to the reply's text. */
  readonly tokens: Token[] = [];
  readonly texts: string[] = [];
  /** What stands after the first `<tool_call>`; undefined before it. */
  calls: string | undefined;
  thoughts = 0;
  readonly #vocabulary: Vocabulary;
  readonly #settings: ReaderSettings;
  readonly #markers: readonly string[];
  #unread: Token[] = [];
  #held = '';
  #thinking: boolean;
  #begun = false;

  constructor(vocabulary: Vocabulary, settings: ReaderSettings, beginsThinking: boolean) {
    this.#vocabulary = vocabulary;
    this.#settings = settings;
    this.#markers = [OPEN, CLOSE, CALL, ...settings.stops];
    this.#thinking = beginsThinking;
  }

  /** Takes the next token. */
  read(token: Token): Step {
    const read = this.tokens.slice(0, this.tokens.length - this.#unread.length).slice(-SPELT_AFTER);
    this.#unread.push(token);
    const text = this.#vocabulary.text(this.#unread, read);
    // A model that begins a message of its own has ended this one.
    if (this.#vocabulary.isControl(token) && !this.#markers.includes(text) && text !== CALLED) return this.end();
    if (text.endsWith('\ufffd') && this.#unread.length < LONGEST_LETTER) {
      this.#keep(token, '');
      return { text: '' };
    }
    this.#unread = [];
    return this.#take(token, text);
  }

  /** The reply is over: the text that was held back because it could have become a marker. */
  end(): Step {
    const text = this.#thinking || this.calls !== undefined ? '' : this.#shown(this.#held);
    this.#held = '';
    return { text, ended: true };
  }

  #take(token: Token, piece: string): Step {
    if (this.calls !== undefined) {
      this.calls += piece;
      this.#keep(token, piece);
      return { text: '' };
    }
    this.#held += piece;
    let text = '';
    for (;;) {
      const found = this.#marker();
      if (!found) break;
      const { marker, at } = found;
      const after = this.#held.slice(at + marker.length);
      if (!this.#thinking) text += this.#shown(this.#held.slice(0, at));
      this.#held = after;
      if (marker === OPEN && !this.#thinking && !this.#settings.thinking) {
        this.#held = '';
        return this.#instead(text, [token, ...this.#vocabulary.tokenize(`\n\n${CLOSE}\n\n`, true)]);
      }
      if (marker === OPEN || marker === CLOSE) this.#thinking = marker === OPEN;
      else if (marker !== CALL || !this.#settings.tools) return { text, ended: true };
      else return this.#beginCall(token, piece, after, text);
    }
    if (this.#thinking) return this.#think(token);
    const safe = this.#held.length - this.#beginningOfMarker();
    text += this.#shown(this.#held.slice(0, safe));
    this.#held = this.#held.slice(safe);
    this.#keep(token, piece === CLOSE ? '' : piece);
    return { text };
  }

  #think(token: Token): Step {
    this.thoughts++;
    if (this.thoughts < MOST_THOUGHT) {
      this.#keep(token, '');
      return { text: '' };
    }
    this.#thinking = false;
    this.#held = '';
    return this.#instead('', [token, ...this.#vocabulary.tokenize(`\n${CLOSE}\n\n`, true)]);
  }

  /** What follows is written by the grammar, which begins right after the marker. */
  #beginCall(token: Token, piece: string, after: string, text: string): Step {
    this.calls = '';
    this.#held = '';
    if (after.trim() === '') {
      this.#keep(token, piece);
      return { text };
    }
    const upTo = piece.slice(0, piece.length - after.length);
    return this.#instead(text, this.#vocabulary.tokenize(upTo, true), upTo);
  }

  #instead(text: string, tokens: readonly Token[], said = ''): Step {
    for (const [i, token] of tokens.entries()) this.#keep(token, i === tokens.length - 1 ? said : '');
    return { text, instead: tokens };
  }

  #keep(token: Token, text: string): void {
    this.tokens.push(token);
    this.texts.push(text);
  }

  #shown(text: string): string {
    const shown = this.#begun ? text : text.trimStart();
    if (shown !== '') this.#begun = true;
    return shown;
  }

  #marker(): { marker: string; at: number } | undefined {
    const wanted = this.#thinking ? [CLOSE] : this.#markers;
    return wanted
      .map((marker) => ({ marker, at: this.#held.indexOf(marker) }))
      .filter(({ at }) => at >= 0)
      .sort((a, b) => a.at - b.at)[0];
  }

  /** How many letters at the end of what is held may be the beginning of a marker. */
  #beginningOfMarker(): number {
    const longest = Math.max(...this.#markers.map((marker) => marker.length)) - 1;
    for (let length = Math.min(longest, this.#held.length); length > 0; length--) {
      const end = this.#held.slice(-length);
      if (this.#markers.some((marker) => marker.startsWith(end))) return length;
    }
    return 0;
  }
}

/** The calls of a reply, from what stands after its first `<tool_call>`; one that is not complete is none. */
export function callsIn(text: string): { name: string; args: unknown }[] {
  return text
    .split(CALLED)
    .slice(0, -1)
    .map((one) => {
      const { name, arguments: args } = JSON.parse(one.replace(CALL, '')) as { name: string; arguments: unknown };
      return { name, args };
    });
}
