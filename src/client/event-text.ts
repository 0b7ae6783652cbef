import type { ServerMessage } from '../protocol/messages.ts';

/** What comes many times a second says nothing in a list of events. */
const FREQUENT: ReadonlySet<ServerMessage['type']> = new Set([
  'partial',
  'pong',
  'reply_text',
  'reply_words',
  'clip_progress',
]);

/** A message as a line of the event log, without the words that were said; undefined where it is not worth one. */
export function eventText(message: ServerMessage): string | undefined {
  if (FREQUENT.has(message.type)) return undefined;
  const turn = 'turn' in message && message.turn !== undefined ? `, turn ${message.turn}` : '';
  if (message.type === 'state') return `state: ${message.state}${turn}`;
  if (message.type === 'error') return `error: ${message.code}${message.stage ? ` (${message.stage})` : ''}${turn}`;
  if (message.type === 'ignored') return `ignored: ${message.reason}${turn}`;
  return `${message.type}${turn}`;
}
