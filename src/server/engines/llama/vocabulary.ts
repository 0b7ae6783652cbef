import type { LlamaModel, Token } from 'node-llama-cpp';
import type { Vocabulary } from './reply-reader.ts';

/** Texts whose tokens are remembered: those of a few long conversations. */
const MOST_TEXTS = 2_000;

/** A model's vocabulary; texts are tokenised once, since each turn brings the whole conversation again. */
export class ModelVocabulary implements Vocabulary {
  readonly #model: LlamaModel;
  readonly #tokens = new Map<string, readonly Token[]>();

  constructor(model: LlamaModel) {
    this.#model = model;
  }

  /** `special` says whether texts such as `<|im_end|>` count as special tokens; what people say never does. */
  tokenize(text: string, special: boolean): readonly Token[] {
    if (text === '') return [];
    const key = `${special ? 1 : 0}${text}`;
    const known = this.#tokens.get(key);
    if (known) return known;
    if (this.#tokens.size >= MOST_TEXTS) this.#tokens.clear();
    const tokens = this.#model.tokenize(text, special, 'trimLeadingSpace');
    this.#tokens.set(key, tokens);
    return tokens;
  }

  text(tokens: readonly Token[], before: readonly Token[]): string {
    return this.#model.detokenize(tokens, true, before);
  }

  isControl(token: Token): boolean {
    return this.#model.getTokenAttributes(token).control || this.#model.isEogToken(token);
  }
}
