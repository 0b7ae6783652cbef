import { networkCode } from '../../other-servers/network-code.ts';
import { EngineError } from '../contracts.ts';
import type { Service } from './service.ts';

export type Server = {
  /** Such as `http://127.0.0.1:11434/v1`; `/v1` is added where there is no path. */
  readonly baseUrl: string;
  readonly apiKey?: string;
};

/**
 * Sends one request, JSON or a form; whatever can go wrong before the first byte of an answer is an `EngineError` that names
 * the fix.
 */
export async function ask(
  service: Service,
  server: Server,
  path: string,
  body: object | FormData | undefined,
  signal: AbortSignal,
): Promise<Response> {
  const url = address(service, server.baseUrl, path);
  const isForm = body instanceof FormData;
  const request = {
    method: body ? 'POST' : 'GET',
    headers: {
      ...(body ? { accept: service.stage === 'tts' ? '*/*' : 'text/event-stream, application/json' } : {}),
      ...(body && !isForm ? { 'content-type': 'application/json' } : {}),
      ...(server.apiKey ? { authorization: `Bearer ${server.apiKey}` } : {}),
    },
    ...(body ? { body: isForm ? body : JSON.stringify(body) } : {}),
    signal,
  };
  try {
    return await fetch(url, request).catch((error: unknown) => {
      // A connection kept from the last turn may have been closed by the server meanwhile.
      if (!signal.aborted && ['ECONNRESET', 'UND_ERR_SOCKET', 'EPIPE'].includes(networkCode(error)))
        return fetch(url, request);
      throw error;
    });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new EngineError(service.stage, unreachable(service, server.baseUrl, networkCode(error)), { cause: error });
  }
}

/** Where `path` lies on the server. */
function address(service: Service, baseUrl: string, path: string): string {
  let url: URL;
  try {
    url = new URL(baseUrl);
  } catch (cause) {
    const example = `write an address such as http://127.0.0.1:${service.port}/v1`;
    throw new EngineError(service.stage, `${service.stage}.baseUrl "${baseUrl}" is not an address; ${example}.`, {
      cause,
    });
  }
  const ends = /\/(?:chat\/completions|audio\/(?:speech|transcriptions))$/;
  const base = url.pathname.replace(/\/+$/, '').replace(ends, '') || '/v1';
  return `${url.origin}${base}${path}${url.search}`;
}

function unreachable({ stage, name }: Service, baseUrl: string, code: string): string {
  switch (code) {
    case 'ECONNREFUSED':
      return `Nothing listens at ${baseUrl}. Is the ${name} running there? Start it, or correct ${stage}.baseUrl.`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `The host of ${baseUrl} is not known here. Correct ${stage}.baseUrl.`;
    case 'ECONNRESET':
    case 'UND_ERR_SOCKET':
      return `The ${name} at ${baseUrl} closed the connection without an answer. Its log may say why.`;
    default:
      return `The ${name} at ${baseUrl} cannot be reached${code ? ` (${code})` : ''}. Is it running? Check ${stage}.baseUrl.`;
  }
}
