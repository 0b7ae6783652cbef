import { EngineError } from '../contracts.ts';

export type Server = {
  /** Such as `http://127.0.0.1:11434/v1`; `/v1` is added where there is no path. */
  readonly baseUrl: string;
  readonly apiKey?: string;
};

/** Sends one request; whatever can go wrong before the first byte of an answer is an `EngineError` that names the fix. */
export async function ask(
  server: Server,
  path: string,
  body: object | undefined,
  signal: AbortSignal,
): Promise<Response> {
  const url = address(server.baseUrl, path);
  const request = {
    method: body ? 'POST' : 'GET',
    headers: {
      ...(body ? { 'content-type': 'application/json', accept: 'text/event-stream, application/json' } : {}),
      ...(server.apiKey ? { authorization: `Bearer ${server.apiKey}` } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
    signal,
  };
  try {
    return await fetch(url, request).catch((error: unknown) => {
      // A connection kept from the last turn may have been closed by the server meanwhile.
      if (!signal.aborted && ['ECONNRESET', 'UND_ERR_SOCKET', 'EPIPE'].includes(codeOf(error)))
        return fetch(url, request);
      throw error;
    });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new EngineError('llm', unreachable(server.baseUrl, codeOf(error)), { cause: error });
  }
}

/** Where `path` lies on the server. */
function address(baseUrl: string, path: string): string {
  let url: URL;
  try {
    url = new URL(baseUrl);
  } catch (cause) {
    const example = 'write an address such as http://127.0.0.1:11434/v1';
    throw new EngineError('llm', `llm.baseUrl "${baseUrl}" is not an address; ${example}.`, { cause });
  }
  const base = url.pathname.replace(/\/+$/, '').replace(/\/chat\/completions$/, '') || '/v1';
  return `${url.origin}${base}${path}${url.search}`;
}

function codeOf(error: unknown): string {
  const cause = (error as { cause?: { code?: unknown; errors?: { code?: unknown }[] } }).cause;
  return String(cause?.code ?? cause?.errors?.[0]?.code ?? '');
}

function unreachable(baseUrl: string, code: string): string {
  switch (code) {
    case 'ECONNREFUSED':
      return `Nothing listens at ${baseUrl}. Is the language model server running there? Start it, or correct llm.baseUrl.`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `The host of ${baseUrl} is not known here. Correct llm.baseUrl.`;
    case 'ECONNRESET':
    case 'UND_ERR_SOCKET':
      return `The language model server at ${baseUrl} closed the connection without an answer. Its log may say why.`;
    default:
      return `The language model server at ${baseUrl} cannot be reached${code ? ` (${code})` : ''}. Is it running? Check llm.baseUrl.`;
  }
}

/** Why the server refused, as an error that names the fix; `secrets` is what was said, which the message must not repeat. */
export async function refusal(
  server: Server & { readonly model: string },
  response: Response,
  secrets: readonly string[],
): Promise<EngineError> {
  const body = await response.text().catch(() => '');
  const detail = detailOf(body, secrets);
  const { status } = response;
  const at = `The language model server at ${server.baseUrl}`;
  if (status === 401 || status === 403) {
    const fix = server.apiKey ? 'Correct llm.apiKey' : 'Set llm.apiKey';
    return new EngineError('llm', `${at} does not let us in (${status}). ${fix}.`);
  }
  if (status === 404 && /model/i.test(body)) {
    const fix = 'Load it there, correct llm.model, or leave llm.model empty to take the first one';
    return new EngineError('llm', `${at} does not have the model "${server.model}". ${fix}.`);
  }
  if (status === 404 || status === 405) {
    return new EngineError(
      'llm',
      `${at} has no chat completions (${status}). llm.baseUrl mostly ends in /v1; correct it.`,
    );
  }
  if (status === 429)
    return new EngineError('llm', `${at} has too much to do (429)${detail}. Wait, or use another server.`);
  if (status >= 500) return new EngineError('llm', `${at} failed (${status})${detail}. Its log may say why.`);
  return new EngineError('llm', `${at} refused the request (${status})${detail}. Check llm.model and llm.maxTokens.`);
}

/** The server's own words as a part of a sentence, empty where there are none or they repeat the conversation. */
export function detailOf(body: string, secrets: readonly string[]): string {
  const said = messageIn(body)
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 200)
    .replace(/[.!]+$/, '');
  if (said === '' || secrets.some((secret) => secret.length > 3 && said.includes(secret.trim().slice(0, 12))))
    return '';
  return `: ${said}`;
}

function messageIn(body: string): string {
  try {
    const { error, message, detail } = JSON.parse(body) as Record<string, unknown>;
    const inner = (error as { message?: unknown } | undefined)?.message ?? error ?? message ?? detail;
    return typeof inner === 'string' ? inner : '';
  } catch {
    return '';
  }
}
