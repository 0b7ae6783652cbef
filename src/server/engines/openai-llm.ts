import { detailOf } from '../other-servers/detail-of.ts';
import { type ChatModel, type ChatRequest, EngineError } from './contracts.ts';
import type { Deadline } from './openai/deadline.ts';
import { exchange } from './openai/exchange.ts';
import { sentMessages } from './openai/messages.ts';
import { listModels } from './openai/models.ts';
import { refusal, refused } from './openai/refusal.ts';
import { replyDeltas } from './openai/reply-deltas.ts';
import { ask, type Server } from './openai/server.ts';
import { CHAT } from './openai/service.ts';

export type OpenAiLlmSettings = Server & {
  /** Empty for the first one the server has. */
  readonly model: string;
  readonly temperature?: number;
  /** The longest reply, in tokens. */
  readonly maxTokens?: number;
  /** How long the server may be silent before and within a reply; 60,000 when left out, since it may have to load the model. */
  readonly stallMs?: number;
};

/** The names of the models that the server has; an `EngineError` that names the fix when it does not answer. */
export async function probe(settings: Server, signal: AbortSignal): Promise<string[]> {
  return (await listModels(CHAT, settings, signal)).map(({ name }) => name);
}

/**
 * A chat model behind any OpenAI-compatible `/v1/chat/completions`; nothing is sent before the first reply. `warn` gets a
 * sentence when the server turns out not to take tools; it is then asked without them.
 */
export async function create(
  settings: OpenAiLlmSettings,
  warn: (sentence: string) => void = process.emitWarning,
): Promise<ChatModel> {
  const { temperature, maxTokens, stallMs = 60_000 } = settings;
  let model = settings.model;
  let takesTools = true;

  const send = (request: ChatRequest, tools: boolean, signal: AbortSignal) => {
    const offered = tools && request.tools?.length ? { tools: request.tools.map(offer) } : {};
    const body = {
      model,
      messages: sentMessages(request, { tools }),
      stream: true,
      ...offered,
      ...(temperature === undefined ? {} : { temperature }),
      ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
    };
    return ask(CHAT, settings, '/chat/completions', body, signal);
  };

  async function openReply(request: ChatRequest, secrets: readonly string[], signal: AbortSignal): Promise<Response> {
    const response = await send(request, takesTools, signal);
    if (response.ok) return response;
    const why = await refused(response);
    const hadCalled = request.messages.some(({ role }) => role === 'tool');
    const sentTools = takesTools && (hadCalled || (request.tools?.length ?? 0) > 0);
    if (!sentTools || !/tool|function[ _-]?call|jinja/i.test(why.body)) {
      throw refusal(CHAT, { ...settings, model }, why, secrets);
    }
    const again = await send(request, false, signal);
    if (!again.ok) throw refusal(CHAT, { ...settings, model }, await refused(again), secrets);
    // One that has called tools before dislikes this conversation, not tools.
    if (!hadCalled) {
      takesTools = false;
      warn(
        `The language model server at ${settings.baseUrl} takes no tools${detailOf(why.body, secrets)}. It is asked without them; to have them, use a model that calls tools.`,
      );
    }
    return again;
  }

  return {
    async *reply(request, signal) {
      if (signal.aborted) return;
      const secrets = request.messages.map(({ content }) => content);
      const used = new Set(request.messages.flatMap(({ toolCalls = [] }) => toolCalls.map(({ id }) => id)));
      const open = async (both: AbortSignal) => {
        model ||= await firstModel(settings, both);
        return openReply(request, secrets, both);
      };
      const read = (response: Response, stall: Deadline) =>
        replyDeltas(response, settings.baseUrl, secrets, used, stall);
      yield* exchange(CHAT, settings, { stallMs, open, read }, signal);
    },
    async [Symbol.asyncDispose]() {},
  };
}

const offer = ({ name, description, parameters }: NonNullable<ChatRequest['tools']>[number]) => ({
  type: 'function',
  function: { name, description, parameters },
});

async function firstModel(settings: OpenAiLlmSettings, signal: AbortSignal): Promise<string> {
  const [first] = await probe(settings, signal);
  if (first) return first;
  throw new EngineError(
    'llm',
    `The language model server at ${settings.baseUrl} lists no model. Load one there, or name it in llm.model.`,
  );
}
