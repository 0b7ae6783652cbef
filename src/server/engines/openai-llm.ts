import { type ChatModel, EngineError } from './contracts.ts';
import { Deadline } from './openai/deadline.ts';
import { sentMessages } from './openai/messages.ts';
import { replyText } from './openai/reply-text.ts';
import { ask, refusal, type Server } from './openai/server.ts';

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
  const response = await ask(settings, '/models', undefined, signal);
  if (!response.ok) throw await refusal({ ...settings, model: '' }, response, []);
  const list = (await response.json().catch(() => ({}))) as {
    data?: { id?: unknown }[];
    models?: { name?: unknown }[];
  };
  const names = [
    ...(list.data ?? []).map(({ id }) => id),
    ...(list.data ? [] : (list.models ?? []).map(({ name }) => name)),
  ];
  return names.filter((name) => typeof name === 'string');
}

/** A chat model behind any OpenAI-compatible `/v1/chat/completions`; nothing is sent before the first reply. */
export async function create(settings: OpenAiLlmSettings): Promise<ChatModel> {
  const { temperature, maxTokens, stallMs = 60_000 } = settings;
  let model = settings.model;
  return {
    async *reply(request, signal) {
      if (signal.aborted) return;
      const messages = sentMessages(request);
      const secrets = request.messages.map(({ content }) => content);
      const stall = new Deadline(stallMs);
      const own = new AbortController();
      const both = AbortSignal.any([signal, stall.signal, own.signal]);
      try {
        model ||= await firstModel(settings, both);
        const body = {
          model,
          messages,
          stream: true,
          ...(temperature === undefined ? {} : { temperature }),
          ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
        };
        const response = await ask(settings, '/chat/completions', body, both);
        stall.restart();
        if (!response.ok) throw await refusal({ ...settings, model }, response, secrets);
        for await (const text of replyText(response, settings.baseUrl, secrets, stall)) {
          // While the reader is busy with this, the server owes nothing.
          stall.stop();
          yield text;
          if (signal.aborted) return;
          stall.restart();
        }
      } catch (error) {
        if (signal.aborted) return;
        throw asEngineError(error, settings, stall);
      } finally {
        stall.stop();
        // Closes the connection, by which the server learns that it may stop.
        own.abort();
      }
    },
    async [Symbol.asyncDispose]() {},
  };
}

async function firstModel(settings: OpenAiLlmSettings, signal: AbortSignal): Promise<string> {
  const [first] = await probe(settings, signal);
  if (first) return first;
  throw new EngineError(
    'llm',
    `The language model server at ${settings.baseUrl} lists no model. Load one there, or name it in llm.model.`,
  );
}

function asEngineError(error: unknown, { baseUrl }: OpenAiLlmSettings, stall: Deadline): EngineError {
  if (error instanceof EngineError) return error;
  const at = `The language model server at ${baseUrl}`;
  if (stall.signal.aborted) {
    return new EngineError(
      'llm',
      `${at} said nothing for ${stall.ms / 1000} s. Is it still loading the model, or overloaded?`,
      { cause: error },
    );
  }
  return new EngineError('llm', `${at} broke off the connection within its reply. Its log may say why.`, {
    cause: error,
  });
}
