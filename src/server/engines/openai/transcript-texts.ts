import { detailOf } from '../../other-servers/detail-of.ts';
import { EngineError } from '../contracts.ts';
import { watched } from './bytes.ts';
import type { Deadline } from './deadline.ts';
import { jsonObject } from './json-object.ts';
import { serverSentEvents } from './sse.ts';

type Event = {
  type?: unknown;
  delta?: unknown;
  text?: unknown;
  error?: unknown;
  segments?: { text?: unknown }[];
  choices?: { delta?: { content?: unknown } }[];
};

/**
 * What a server made of an utterance, as far as it has come: each text replaces the one before, and the last one is the whole.
 * Takes plain text, JSON, and the streams of OpenAI (deltas), vLLM (chat pieces) and speaches (segments).
 */
export async function* transcriptTexts(
  response: Response,
  baseUrl: string,
  stall: Deadline,
): AsyncGenerator<string, void, undefined> {
  const at = `The speech recognition server at ${baseUrl}`;
  const wrong = () =>
    new EngineError(
      'asr',
      `${at} sent something that is no transcription. Check that asr.baseUrl is its OpenAI-compatible address.`,
    );
  if (!/event-stream/i.test(response.headers.get('content-type') ?? '')) {
    const body = (await response.text()).trim();
    if (/^</.test(body)) throw wrong();
    const whole = body.startsWith('{') ? jsonObject<Event>(body) : { text: body };
    if (whole?.error) throw new EngineError('asr', `${at} failed${detailOf(body, [])}. Its log may say more.`);
    const text = whole && wholeText(whole);
    if (text === undefined) throw wrong();
    yield text;
    return;
  }
  if (!response.body) throw new EngineError('asr', `${at} sent an empty answer. Its log may say why.`);
  let text = '';
  let understood = false;
  for await (const data of serverSentEvents(watched(response.body, stall))) {
    if (data.trim() === '[DONE]') break;
    const event = jsonObject<Event>(data);
    if (!event) throw wrong();
    if (event.error) throw new EngineError('asr', `${at} broke off${detailOf(data, [text])}. Its log may say more.`);
    const next = textAfter(text, event);
    if (next === undefined) continue;
    understood = true;
    text = next;
    yield text;
  }
  if (!understood) throw new EngineError('asr', `${at} ended its answer without a text. Its log may say why.`);
}

/** The text when this event is added to it; undefined for an event that tells none. */
function textAfter(text: string, event: Event): string | undefined {
  if (typeof event.delta === 'string') return text + event.delta;
  if (event.type === 'transcript.text.done') return typeof event.text === 'string' ? event.text : text;
  const piece = event.choices?.[0]?.delta?.content;
  if (typeof piece === 'string') return text + piece;
  if (typeof event.text !== 'string') return undefined;
  const segment = event.text.trim();
  return text === '' || segment === '' ? text + segment : `${text} ${segment}`;
}

function wholeText({ text, segments }: Event): string | undefined {
  if (typeof text === 'string') return text;
  if (!Array.isArray(segments)) return undefined;
  return segments.map((segment) => (typeof segment.text === 'string' ? segment.text.trim() : '')).join(' ');
}
