import { detailOf } from '../../other-servers/detail-of.ts';
import { EngineError } from '../contracts.ts';
import type { Deadline } from './deadline.ts';
import type { Server } from './server.ts';
import type { Service } from './service.ts';

/** An answer that is no answer: its status, and its whole body. */
export type Refused = { readonly status: number; readonly body: string };

/** Reads an answer that is no answer. */
export async function refused(response: Response): Promise<Refused> {
  return { status: response.status, body: await response.text().catch(() => '') };
}

/** Why the server refused, as an error that names the fix; `secrets` is what was said, which the message must not repeat. */
export function refusal(
  service: Service,
  server: Server & { readonly model: string },
  { status, body }: Refused,
  secrets: readonly string[],
): EngineError {
  const { stage, name, offers, check } = service;
  const detail = detailOf(body, secrets);
  const at = `The ${name} at ${server.baseUrl}`;
  const error = (message: string) => new EngineError(stage, message);
  if (status === 401 || status === 403) {
    const fix = server.apiKey ? `Correct ${stage}.apiKey` : `Set ${stage}.apiKey`;
    return error(`${at} does not let us in (${status}). ${fix}.`);
  }
  if (status === 404 && /model/i.test(body)) {
    const fix = `Load it there, correct ${stage}.model, or leave ${stage}.model empty to take the first one`;
    return error(`${at} does not have the model "${server.model}". ${fix}.`);
  }
  if (status === 404 || status === 405)
    return error(`${at} has no ${offers} (${status}). ${stage}.baseUrl mostly ends in /v1; correct it.`);
  if (status === 413) return error(`${at} takes nothing that large (413). Raise its limit.`);
  if (status === 429) return error(`${at} has too much to do (429)${detail}. Wait, or use another server.`);
  if (status >= 500) return error(`${at} failed (${status})${detail}. Its log may say why.`);
  return error(`${at} refused the request (${status})${detail}. Check ${check}.`);
}

/** What went wrong within an answer, as an error that names the fix. */
export function brokenOff(service: Service, { baseUrl }: Server, error: unknown, stall: Deadline): EngineError {
  if (error instanceof EngineError) return error;
  const at = `The ${service.name} at ${baseUrl}`;
  const message = stall.signal.aborted
    ? `${at} said nothing for ${stall.ms / 1000} s. Is it still loading the model, or overloaded?`
    : `${at} broke off the connection within its reply. Its log may say why.`;
  return new EngineError(service.stage, message, { cause: error });
}
