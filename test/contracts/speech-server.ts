import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeWav } from '../../src/bench/wav.ts';

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
export async function speechServer(answer: (response: ServerResponse, request: SpeechRequest) => void | Promise<void>) {
  const requests: SpeechRequest[] = [];
  /** One entry per request whose client went away before its answer was complete. */
  const left: Promise<void>[] = [];
  const server = createServer(async (incoming, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const request = await read(incoming, Buffer.concat(chunks));
    requests.push(request);
    left.push(
      new Promise((resolve) => {
        response.on('close', () => {
          if (!response.writableFinished) resolve();
        });
      }),
    );
    await answer(response, request);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    left,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

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
