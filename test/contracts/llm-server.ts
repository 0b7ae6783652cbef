import type { IncomingMessage, ServerResponse } from 'node:http';
import { standIn } from '../fixtures/stand-in.ts';

export type Received = { path: string; headers: IncomingMessage['headers']; body: Record<string, unknown> };

/** A stand-in for a language model server: answers each completion by `answer`, and says what it got. */
export const llmServer = (answer: (response: ServerResponse, received: Received) => void) => standIn(read, answer);

const read = ({ url, headers }: IncomingMessage, bytes: Buffer): Received => ({
  path: url ?? '',
  headers,
  body: bytes.length === 0 ? {} : JSON.parse(bytes.toString()),
});

/** One event of a streamed completion. */
export const delta = (content: string) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`;

/** One event of a streamed completion that calls tools; `calls` as servers send them. */
export const callDelta = (...calls: object[]) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { tool_calls: calls } }] })}\n\n`;

/** Starts a streamed answer. */
export function stream(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
}
