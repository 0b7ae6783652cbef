import { detailOf } from '../../other-servers/detail-of.ts';
import { EngineError, type ReplyDelta } from '../contracts.ts';
import { watched } from './bytes.ts';
import type { Deadline } from './deadline.ts';
import { jsonObject } from './json-object.ts';
import { serverSentEvents } from './sse.ts';
import { ToolCallPieces } from './tool-calls.ts';

type Content = { content?: unknown; tool_calls?: unknown };
type Choice = { delta?: Content; message?: Content; finish_reason?: unknown };
type Event = { error?: unknown; choices?: Choice[] };

/**
 * The text of a reply as it comes, what the model only thinks left out, then the tools it calls, their ids not among
 * `usedIds`; every byte restarts `stall`.
 */
export async function* replyDeltas(
  response: Response,
  baseUrl: string,
  secrets: readonly string[],
  usedIds: ReadonlySet<string>,
  stall: Deadline,
): AsyncGenerator<ReplyDelta, void, undefined> {
  const at = `The language model server at ${baseUrl}`;
  if (!response.body) throw new EngineError('llm', `${at} sent an empty answer. Its log may say why.`);
  // Not every proxy keeps the type of a stream.
  const isStream = !/json|html/i.test(response.headers.get('content-type') ?? '');
  const events = isStream ? serverSentEvents(watched(response.body, stall)) : [await response.text()];
  const pieces = new ToolCallPieces();
  let spoken = false;
  let reason: unknown;
  for await (const data of events) {
    if (data.trim() === '[DONE]') break;
    // Beside the pieces of the reply servers send counts and signs of life, which have no choices.
    const event = jsonObject<Event>(data);
    if (!event)
      throw new EngineError(
        'llm',
        `${at} sent something that is no chat completion. Check that llm.baseUrl is its OpenAI-compatible address.`,
      );
    if (event.error)
      throw new EngineError('llm', `${at} broke off its reply${detailOf(data, secrets)}. Its log may say more.`);
    const choice = event.choices?.[0];
    reason = choice?.finish_reason ?? reason;
    pieces.add(choice?.delta?.tool_calls ?? choice?.message?.tool_calls);
    const text = textOf(choice?.delta?.content ?? choice?.message?.content);
    if (text === '') continue;
    spoken = true;
    yield text;
  }
  const calls = pieces.calls(usedIds);
  yield* calls;
  if (spoken || calls.length > 0) return;
  if (reason === 'length')
    throw new EngineError(
      'llm',
      `${at} used up its tokens before it said anything. Raise llm.maxTokens, or turn its thinking off.`,
    );
  if (reason === undefined) throw new EngineError('llm', `${at} ended its answer without a word. Its log may say why.`);
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
