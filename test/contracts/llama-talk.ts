import type { ChatMessage, ChatRequest, ReplyDelta, ToolDescription } from '../../src/server/engines/contracts.ts';
import type { ReplyUsage } from '../../src/server/engines/llama/replies.ts';
import type { LlamaModel } from '../../src/server/engines/llama-llm.ts';

const forever = new AbortController().signal;

/** A conversation as the server leads it: what was said is sent again with each turn. */
export class Conversation {
  readonly messages: ChatMessage[];
  readonly #model: LlamaModel;
  readonly #others: Partial<ChatRequest>;

  constructor(model: LlamaModel, system: string, others: Partial<ChatRequest> = {}) {
    this.#model = model;
    this.#others = others;
    this.messages = [{ role: 'system', content: system }];
  }

  /** One turn; of a reply that is cut, only `heard` words stay in history. Returns what the turn cost, and its reply. */
  async turn(text: string, heard = Number.POSITIVE_INFINITY): Promise<{ usage: ReplyUsage; reply: string }> {
    this.messages.push({ role: 'user', content: text });
    const abort = new AbortController();
    let reply = '';
    for await (const delta of this.#model.reply(this.request, abort.signal)) {
      reply += typeof delta === 'string' ? delta : '';
      // The model is ahead of the voice: it is stopped later than the last word that was heard.
      if (reply.split(' ').length > heard + 10) abort.abort();
    }
    const words = reply.trim().split(/\s+/);
    if (words.length <= heard) this.messages.push({ role: 'assistant', content: reply.trim() });
    else this.messages.push({ role: 'assistant', content: words.slice(0, heard).join(' '), cut: true });
    const usage = (await usageOf(this.#model)).at(-1)!;
    return { usage, reply };
  }

  get request(): ChatRequest {
    return {
      messages: [...this.messages],
      situation: { engines: { vad: 'v', asr: 'a', llm: 'l', tts: 't' } },
      ...this.#others,
    };
  }
}

/** What the model's newest replies cost; complete also for one that was just aborted. */
export async function usageOf(model: LlamaModel): Promise<ReplyUsage[]> {
  const usages: ReplyUsage[] = [];
  for await (const usage of model.usage(forever)) usages.push(usage);
  return usages;
}

/** All that the model gives for one request. */
export async function deltas(model: LlamaModel, request: ChatRequest): Promise<ReplyDelta[]> {
  const all: ReplyDelta[] = [];
  for await (const delta of model.reply(request, forever)) all.push(delta);
  return all;
}

/** A tool whose arguments have every kind of type. */
export const ODD_TOOL: ToolDescription = {
  name: 'odd_tool',
  description: 'Does something odd.',
  parameters: {
    type: 'object',
    properties: {
      count: { type: 'integer', minimum: 17, maximum: 342 },
      below: { type: 'integer', minimum: -12, maximum: -3 },
      size: { enum: ['small', 'large "quoted"'] },
      ratio: { type: 'number', minimum: 0 },
      label: { type: 'string', minLength: 2, maxLength: 12 },
      flags: { type: 'array', items: { type: 'boolean' }, minItems: 1, maxItems: 3 },
      place: { type: 'object', properties: { x: { type: ['integer', 'null'] } }, required: ['x'] },
      any: {},
    },
    required: ['count', 'size', 'flags', 'place', 'below'],
    additionalProperties: false,
  },
};
