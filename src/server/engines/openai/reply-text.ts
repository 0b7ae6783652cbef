import { EngineError } from '../contracts.ts';
import type { Deadline } from './deadline.ts';
import { detailOf } from './server.ts';
import { serverSentEvents } from './sse.ts';

type Choice = { delta?: { content?: unknown }; message?: { content?: unknown }; finish_reason?: unknown };
type Event = { error?: unknown; choices?: Choice[] };

/** The text of a reply as it comes, what the model only thinks left out; every byte restarts `stall`. */
export async function* replyText(
  response: Response,
  baseUrl: string,
  secrets: readonly string[],
  stall: Deadline,
): AsyncGenerator<string, void, undefined> {
  const at = `The language model server at ${baseUrl}`;
  if (!response.body) throw new EngineError('llm', `${at} sent an empty answer. Its log may say why.`);
  // Not every proxy keeps the type of a stream.
  const isStream = !/json|html/i.test(response.headers.get('content-type') ?? '');
  const events = isStream ? serverSentEvents(watched(response.body, stall)) : [await response.text()];
  let spoken = false;
  let reason: unknown;
  for await (const data of events) {
    if (data.trim() === '[DONE]') break;
    // Beside the pieces of the reply servers send counts and signs of life, which have no choices.
    const event = parsed(data);
    if (!event)
      throw new EngineError(
        'llm',
        `${at} sent something that is no chat completion. Check that llm.baseUrl is its OpenAI-compatible address.`,
      );
    if (event.error)
      throw new EngineError('llm', `${at} broke off its reply${detailOf(data, secrets)}. Its log may say more.`);
    const choice = event.choices?.[0];
    reason = choice?.finish_reason ?? reason;
    const text = textOf(choice?.delta?.content ?? choice?.message?.content);
    if (text === '') continue;
    spoken = true;
    yield text;
  }
  if (spoken) return;
  if (reason === 'length')
    throw new EngineError(
      'llm',
      `${at} used up its tokens before it said anything. Raise llm.maxTokens, or turn its thinking off.`,
    );
  if (reason === undefined) throw new EngineError('llm', `${at} ended its answer without a word. Its log may say why.`);
}

async function* watched(body: AsyncIterable<Uint8Array>, stall: Deadline): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const bytes of body) {
    stall.restart();
    yield bytes;
  }
}

function parsed(data: string): Event | undefined {
  try {
    const event: unknown = JSON.parse(data);
    return typeof event === 'object' && event !== null ? event : undefined;
  } catch {
    return undefined;
  }
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((part: { type?: unknown; text?: unknown }) =>
      part.type === 'text' && typeof part.text === 'string' ? part.text : '',
    )
    .join('');
}
