import type { Llama, LlamaContext, LlamaContextSequence, LlamaModel, Token } from 'node-llama-cpp';
import type { ChatRequest, ToolDescription } from '../contracts.ts';
import { callGrammar } from './call-grammar.ts';
import type { ChatFormat } from './chat-format.ts';
import { fitted } from './fit.ts';
import { formatOf } from './model-format.ts';
import { type Memory, type Piece, type Prompt, pieces, promptFor } from './prompt.ts';
import { PromptSteps } from './prompt-steps.ts';
import { ReplyReader } from './reply-reader.ts';
import { type Slot, Slots } from './slots.ts';
import { systemText, talkOf } from './talk.ts';
import { ModelVocabulary } from './vocabulary.ts';

/** What one reply cost, in tokens. */
export type ReplyUsage = {
  readonly promptTokens: number;
  /** Of the prompt, what follows the last reply: what the user said now, and what the format puts around it. */
  readonly turnTokens: number;
  /** Of the prompt, what the library had to evaluate, by its own count. */
  readonly evaluatedTokens: number;
  readonly replyTokens: number;
};

export type ReplySettings = {
  readonly temperature: number;
  /** The longest reply, in tokens; thoughts and tool calls not counted. */
  readonly maxTokens: number;
  /** Whether a model that can think before it speaks does so; it is never given out. */
  readonly thinking: boolean;
  /** What every conversation begins with, evaluated when the model is loaded; left out or empty for nothing. */
  readonly systemPrompt?: string;
  /** The tools that every request brings, for the same reason. */
  readonly tools?: readonly ToolDescription[];
  /** For the same replies each time the model is loaded. */
  readonly seed?: number;
};

/** A whole reply's tool calls, as they were written. */
type Calls = { readonly calls: string };
type CallGrammar = Awaited<ReturnType<typeof callGrammar>>;

/** For the arguments of tool calls, beside the words of the reply; a third of it is kept free for them. */
const CALL_TOKENS = 768;
/** Thoughts of earlier replies are no more than this long kept in the prompt. */
const KEPT_THOUGHT = 16;
const USAGES = 100;

/** Writes replies with a loaded model, and keeps for each conversation what has been evaluated of it. */
export class Replies {
  readonly #usages: ReplyUsage[] = [];
  readonly #llama: Llama;
  readonly #model: LlamaModel;
  readonly #context: LlamaContext;
  readonly #settings: ReplySettings;
  readonly #format: ChatFormat;
  readonly #vocabulary: ModelVocabulary;
  readonly #slots: Slots;
  #written = 0;
  readonly #steps: PromptSteps;

  private constructor(
    llama: Llama,
    model: LlamaModel,
    context: LlamaContext,
    settings: ReplySettings,
    format: ChatFormat,
  ) {
    this.#llama = llama;
    this.#model = model;
    this.#context = context;
    this.#settings = settings;
    this.#format = format;
    this.#vocabulary = new ModelVocabulary(model);
    this.#steps = new PromptSteps(context.batchSize);
    this.#slots = new Slots(Array.from({ length: context.totalSequences }, () => context.getSequence()));
  }

  /** Makes the model ready: what every conversation begins with is evaluated, once for each. */
  static async open(llama: Llama, model: LlamaModel, context: LlamaContext, settings: ReplySettings): Promise<Replies> {
    const format = await formatOf(model, settings.thinking);
    const replies = new Replies(llama, model, context, settings, format);
    const { systemPrompt = '', tools = [] } = settings;
    const system = systemText(systemPrompt, tools);
    if (system === '') return replies;
    const start = pieces({ system, said: [] }, format).slice(0, 2);
    for (const { sequence } of replies.#slots.all) {
      const { tokens } = replies.#prompt(start, [], []);
      await sequence.evaluateWithoutGeneratingNewTokens([...tokens.slice(0, replies.#room(tools))]);
      await sequence.takeCheckpoint();
    }
    return replies;
  }

  /** What the newest replies cost, oldest first; those that were aborted just now included. */
  async usages(): Promise<readonly ReplyUsage[]> {
    await this.#slots.settled();
    return [...this.#usages];
  }

  /** The reply's text as it is written, then its tool calls. */
  async *write(request: ChatRequest, signal: AbortSignal): AsyncGenerator<string | Calls, void, undefined> {
    const { tools = [] } = request;
    const grammar = tools.length > 0 ? await callGrammar(this.#llama, this.#model, tools) : undefined;
    const talk = fitted(talkOf(request), this.#room(tools), (text) => this.#vocabulary.tokenize(text, false).length);
    const parts = pieces(talk, this.#format);
    const slot = await this.#slots.take((free) => this.#best(free, parts), signal);
    if (!slot) return;
    try {
      yield* this.#writeOn(slot, parts, grammar, signal);
    } catch (error) {
      // What of the step that failed the sequence holds, nobody knows.
      slot.memories = [];
      await slot.sequence.clearHistory().catch(() => {});
      throw error;
    } finally {
      this.#slots.giveBack(slot);
    }
  }

  async *#writeOn(
    slot: Slot,
    parts: readonly Piece[],
    grammar: CallGrammar | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<string | Calls, void, undefined> {
    const { sequence } = slot;
    let prompt = this.#prompt(parts, sequence.contextTokens, slot.memories);
    // A model may spell its replies in more tokens than its tokenizer, by which the talk was fitted.
    if (prompt.tokens.length > this.#context.contextSize - 16) prompt = this.#prompt(parts, [], []);
    const metered = spent(sequence);
    slot.memories = [...prompt.remember];
    slot.answered = 0;
    const last = await this.#steps.evaluate(sequence, prompt.tokens, signal);
    if (signal.aborted) return;
    const { thinking, maxTokens, temperature, seed } = this.#settings;
    const opened = this.#format.beforeReply;
    const beginsThinking = opened.lastIndexOf('<think>') > opened.lastIndexOf('</think>');
    const reader = new ReplyReader(
      this.#vocabulary,
      { thinking, tools: grammar !== undefined, stops: this.#format.stops },
      beginsThinking,
    );
    const tokens = sequence.evaluate([...last], {
      temperature,
      seed: seed === undefined ? Math.floor(Math.random() * 2 ** 31) : seed + this.#written++,
      minP: 0.05,
      // Once the model calls a tool, the rest of the reply is written by the grammar.
      grammarEvaluationState: () => (reader.calls === undefined ? undefined : grammar?.()),
    });
    let evaluated: number | undefined;
    try {
      let instead: Token[] | undefined;
      for (let left = this.#context.contextSize - prompt.tokens.length - 8; ; left--) {
        const next = await (instead ? tokens.next(instead) : tokens.next());
        evaluated ??= spent(sequence) - metered;
        if (signal.aborted) return;
        const step = next.done ? reader.end() : reader.read(next.value);
        if (step.text !== '') yield step.text;
        if (signal.aborted) return;
        instead = step.instead ? [...step.instead] : undefined;
        if (step.ended) break;
        const spoken = reader.tokens.length - reader.thoughts;
        if (left <= 0 || spoken >= maxTokens + (reader.calls === undefined ? 0 : CALL_TOKENS)) {
          const { text } = reader.end();
          if (text !== '') yield text;
          break;
        }
      }
      slot.answered = prompt.tokens.length;
      if (reader.calls !== undefined) yield { calls: reader.calls };
    } finally {
      // Ends when the step in flight is computed; only then may another reply use this sequence.
      await tokens.return();
      this.#remember(slot, prompt, reader);
      this.#count({
        promptTokens: prompt.tokens.length,
        turnTokens: prompt.tokens.length - prompt.turnStart,
        evaluatedTokens: evaluated ?? spent(sequence) - metered,
        replyTokens: reader.tokens.length,
      });
    }
  }

  /** The sequence that knows this conversation, else the one that was not used longest. */
  #best(free: readonly Slot[], parts: readonly Piece[]): Slot {
    const known = free.map((slot) => {
      const evaluated = slot.sequence.contextTokens;
      const { reused, talkStart, tokens } = this.#prompt(parts, evaluated, slot.memories);
      const goesOn = tokens.length > slot.answered;
      return { slot, goesOn, own: reused - talkStart, all: evaluated.length - talkStart };
    });
    // Two conversations may begin with the same words; to continue one of them means to share most of it.
    const same = known
      .filter(({ goesOn, own, all }) => goesOn && own > 0 && own * 2 > all)
      .sort((a, b) => b.own - a.own)[0];
    if (same) return same.slot;
    return free.reduce((oldest, slot) => (slot.lastUsed < oldest.lastUsed ? slot : oldest));
  }

  /** What of the context is left to prompts, in tokens. */
  #room(tools: readonly ToolDescription[]): number {
    const { contextSize } = this.#context;
    const reply = this.#settings.maxTokens + (tools.length > 0 ? CALL_TOKENS / 3 : 0);
    return contextSize - Math.min(reply, Math.floor(contextSize / 2)) - 8;
  }

  #prompt(parts: readonly Piece[], known: readonly Token[], memories: readonly Memory[]): Prompt {
    return promptFor(parts, known, memories, (text, special) => this.#vocabulary.tokenize(text, special));
  }

  #remember(slot: Slot, { tokens }: Prompt, reader: ReplyReader): void {
    if (reader.thoughts > KEPT_THOUGHT || slot.sequence.nextTokenIndex < tokens.length) return;
    slot.memories.push({ is: 'reply', start: tokens.length, tokens: reader.tokens, texts: reader.texts });
  }

  #count(usage: ReplyUsage): void {
    this.#usages.push(usage);
    if (this.#usages.length > USAGES) this.#usages.shift();
  }
}

function spent({ tokenMeter }: LlamaContextSequence): number {
  return tokenMeter.usedInputTokens + tokenMeter.usedOutputTokens;
}
