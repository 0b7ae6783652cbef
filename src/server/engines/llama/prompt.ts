import type { Token } from 'node-llama-cpp';
import type { ChatFormat } from './chat-format.ts';
import type { Talk } from './talk.ts';

/** A part of a prompt: of the format (special tokens are parsed), or something that was said (they are not). */
export type Piece =
  | { readonly is: 'format'; readonly text: string }
  | { readonly is: 'said'; readonly text: string; readonly note?: string }
  | { readonly is: 'reply'; readonly text: string };

/** What turns text into tokens; `special` says whether texts such as `<|im_end|>` count as special tokens. */
export type Tokenize = (text: string, special: boolean) => readonly Token[];

/** What a sequence was given that its text alone does not tell: how a reply was spelt in tokens, or what came with a message. */
export type Memory =
  | { readonly is: 'said'; readonly start: number; readonly text: string; readonly tokens: readonly Token[] }
  /** `texts` are what each token added to the reply, in the same order; a thought adds nothing. */
  | {
      readonly is: 'reply';
      readonly start: number;
      readonly tokens: readonly Token[];
      readonly texts: readonly string[];
    };

/** The talk in the model's format, up to where the reply begins. */
export function pieces({ system, said }: Talk, format: ChatFormat): Piece[] {
  const parts: Piece[] = [];
  if (system !== '' && format.system) {
    parts.push({ is: 'format', text: format.system.before }, { is: 'said', text: system });
    parts.push({ is: 'format', text: format.system.after });
  } else {
    parts.push({ is: 'format', text: format.begin });
    if (system !== '') parts.push({ is: 'said', text: `${system}\n\n` });
  }
  for (const { role, content, note } of said) {
    if (role === 'assistant') {
      parts.push({ is: 'reply', text: content }, { is: 'format', text: format.afterReply });
    } else {
      parts.push({ is: 'said', text: content, ...(note === undefined ? {} : { note }) });
      parts.push({ is: 'format', text: format.beforeReply });
    }
  }
  return parts;
}

export type Prompt = {
  readonly tokens: readonly Token[];
  /** Where the user's first message begins: what stands before may be the same in every conversation. */
  readonly talkStart: number;
  /** Where what follows the last reply begins: the new turn. */
  readonly turnStart: number;
  /** How many tokens, from the first, the sequence has evaluated already. */
  readonly reused: number;
  /** What the sequence is to remember of this prompt. */
  readonly remember: readonly Memory[];
};

/**
 * The prompt for a sequence that has evaluated `known`. Where the sequence wrote a reply itself, its own tokens are taken as
 * far as the text agrees: a text can be spelt in several ways, and any other than its own would have to be evaluated anew.
 */
export function promptFor(
  parts: readonly Piece[],
  known: readonly Token[],
  memories: readonly Memory[],
  tokenize: Tokenize,
): Prompt {
  const tokens: Token[] = [];
  const remember: Memory[] = [];
  let reused = 0;
  let talkStart = 0;
  let turnStart = 0;
  for (const part of parts) {
    const start = tokens.length;
    const memory = reused === start ? memories.find((one) => isOf(part, start, one)) : undefined;
    tokens.push(...tokensOf(part, memory, tokenize));
    if (part.is === 'said' && turnStart === 0) talkStart = start;
    if (part.is === 'reply') turnStart = tokens.length;
    if (memory) remember.push(memory);
    else if (part.is === 'said' && part.note !== undefined) {
      remember.push({ is: 'said', start, text: part.text, tokens: tokens.slice(start) });
    }
    while (reused < tokens.length && known[reused] === tokens[reused]) reused++;
  }
  return { tokens, talkStart, turnStart, reused, remember };
}

const isOf = (part: Piece, start: number, memory: Memory): boolean =>
  memory.start === start && memory.is === part.is && (memory.is === 'reply' || memory.text === part.text);

function tokensOf(part: Piece, memory: Memory | undefined, tokenize: Tokenize): readonly Token[] {
  if (part.is === 'format') return tokenize(part.text, true);
  if (part.is === 'said') {
    if (memory?.is === 'said') return memory.tokens;
    return tokenize(part.text + (part.note ?? ''), false);
  }
  if (memory?.is !== 'reply') return tokenize(part.text, false);
  const { count, rest } = agreeing(memory.texts, part.text);
  return [...memory.tokens.slice(0, count), ...tokenize(rest, false)];
}

/** How many of the pieces `text` begins with, white space aside, and what of it they do not cover. */
export function agreeing(texts: readonly string[], text: string): { count: number; rest: string } {
  let at = 0;
  let count = 0;
  let covered = 0;
  const isSpace = (letter: string | undefined) => letter !== undefined && /\s/.test(letter);
  for (const [i, piece] of texts.entries()) {
    for (const letter of piece) {
      if (isSpace(letter)) continue;
      while (isSpace(text[at])) at++;
      if (!text.startsWith(letter, at)) return { count, rest: text.slice(covered) };
      at += letter.length;
    }
    // White space says nothing about where the text ends; it is taken only with what follows it.
    if (piece !== '' && piece.trim() === '') continue;
    count = i + 1;
    covered = at;
  }
  const rest = text.slice(covered).trimEnd();
  return rest === '' ? { count: texts.length, rest } : { count, rest: text.slice(covered) };
}
