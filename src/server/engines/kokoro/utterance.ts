import { pieces } from '../text/pieces.ts';
import { type SpokenWord, spokenWords } from '../text/spoken-form.ts';
import { type Dictionary, pronounced } from './pronounce.ts';

/** A written word, and how many of the utterance's tokens belong to it: its phonemes, and the mark and space after it. */
export type UtteredWord = { readonly text: string; readonly phonemes: number; readonly tokens: number };

/** What the network says in one go: its tokens without the padding, of which the words' make up the whole. */
export type Utterance = {
  readonly tokens: readonly number[];
  readonly words: readonly UtteredWord[];
  readonly endsSentence: boolean;
};

/** What it takes to say a phrase: the model's dictionary, who is asked for other words, and the numbers of its tokens. */
export type Pronouncing = {
  readonly dictionary: Dictionary;
  readonly other?: Dictionary;
  readonly ids: ReadonlyMap<string, number>;
  /** The network takes no more tokens at once. */
  readonly mostTokens: number;
  /** After how many words a long sentence is cut at a comma, and after how many anywhere. */
  readonly pieceTokens: readonly [number, number];
};

/** A phrase as tokens, in utterances that are made one by one: sentences, long ones cut at a comma or between words. */
export function utterances(phrase: string, pronouncing: Pronouncing): Utterance[] {
  return pieces(spokenWords(phrase), ...pronouncing.pieceTokens).flatMap((piece) => cut(piece, pronouncing));
}

function cut(piece: readonly SpokenWord[], pronouncing: Pronouncing): Utterance[] {
  const out: Utterance[] = [];
  let [tokens, words]: [number[], UtteredWord[]] = [[], []];
  const end = (endsSentence: boolean) => {
    if (tokens.length > 0) out.push({ tokens, words, endsSentence });
    [tokens, words] = [[], []];
  };
  for (const word of piece) {
    const { ids, phonemes } = said(word, pronouncing);
    if (tokens.length + ids.length > pronouncing.mostTokens) end(false);
    tokens = [...tokens, ...ids];
    words.push({ text: word.text, phonemes, tokens: ids.length });
  }
  end(/[.!?]/.test(piece.flatMap((word) => word.tokens).at(-1)?.punctuation ?? ''));
  return out;
}

/** A written word's tokens; one that would fill an utterance by itself loses its end. */
function said(word: SpokenWord, { dictionary, other, ids, mostTokens }: Pronouncing) {
  let text = '';
  for (const { name, punctuation } of word.tokens) text += `${pronounced(name, dictionary, other)}${punctuation} `;
  const found = [...text].map((token) => ids.get(token)).filter((id) => id !== undefined);
  const sounds = text.replace(/[\s.,;:!?ˈˌ]/g, '').length;
  return { ids: found.slice(0, mostTokens), phonemes: Math.min(sounds, mostTokens) };
}

/** The words of a phrase, in small letters, that the dictionary does not have as they are. */
export function unknownWords(phrase: string, dictionary: Dictionary): string[] {
  const names = spokenWords(phrase).flatMap(({ tokens }) => tokens.map(({ name }) => name.toLowerCase()));
  return [...new Set(names)].filter((name) => /^[a-z']+$/.test(name) && dictionary(name) === undefined);
}
