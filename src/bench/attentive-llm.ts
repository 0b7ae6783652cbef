import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export type ShownMessage = { readonly role: string; readonly content: string };

/** An OpenAI-compatible server that answers at once and keeps what it was shown. */
export type AttentiveLlm = AsyncDisposable & {
  readonly baseUrl: string;
  /** The conversation that it is shown next of which the first user message is `first` and the last one is not. */
  shown(first: string): Promise<readonly ShownMessage[]>;
};

/** Starts it; `answer` gives the reply to a conversation whose first user message it is told. */
export async function attentiveLlm(answer: (first: string) => string): Promise<AttentiveLlm> {
  const waiting = new Map<string, (messages: readonly ShownMessage[]) => void>();
  const server = createServer(async (request, response) => {
    if (request.method === 'GET') return response.end(JSON.stringify({ data: [{ id: 'attentive' }] }));
    let body = '';
    for await (const chunk of request) body += chunk;
    const { messages } = JSON.parse(body) as { messages: ShownMessage[] };
    const users = messages.filter(({ role }) => role === 'user');
    const first = users[0]?.content.split('\n')[0] ?? '';
    if (users.length > 1 || users[0]?.content.includes('\n')) waiting.get(first)?.(messages);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const content of answer(first).match(/\s*\S+/g) ?? []) {
      response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`);
    }
    response.end('data: [DONE]\n\n');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    shown: (first) => new Promise((resolve) => waiting.set(first, resolve)),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
