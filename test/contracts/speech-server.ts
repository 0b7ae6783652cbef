import type { IncomingMessage, ServerResponse } from 'node:http';
import { decodeWav } from '../../src/bench/wav.ts';
import { standIn } from '../fixtures/stand-in.ts';

/** A request as a speech server sees it. */
export type SpeechRequest = {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  /** Of a JSON request. */
  readonly body: Record<string, unknown>;
  /** The text fields of a form. */
  readonly fields: Record<string, string>;
  /** The sound of a form's file. */
  readonly samples: Float32Array;
};

/** A stand-in for a speech server: answers each request by `answer`, and says what it got. */
export const speechServer = (answer: (response: ServerResponse, request: SpeechRequest) => void | Promise<void>) =>
  standIn(read, answer);

async function read({ url, headers }: IncomingMessage, bytes: Buffer): Promise<SpeechRequest> {
  const type = headers['content-type'] ?? '';
  const request = { path: url ?? '', headers, body: {}, fields: {}, samples: new Float32Array(0) };
  if (type.includes('json')) return { ...request, body: JSON.parse(bytes.toString()) };
  if (!type.includes('multipart')) return request;
  const form = await new Response(new Uint8Array(bytes), { headers: { 'content-type': type } }).formData();
  const fields: Record<string, string> = {};
  for (const [name, value] of form) if (typeof value === 'string') fields[name] = value;
  const { rate, samples } = decodeWav(new Uint8Array(await (form.get('file') as File).arrayBuffer()));
  if (rate !== 16_000) throw new Error(`The file has ${rate} samples per second.`);
  return { ...request, fields, samples };
}

/** Answers with JSON. */
export function json(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
