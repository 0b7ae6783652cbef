import { ask, type Server } from './server.ts';
import { SPEECH } from './service.ts';

/** The names that OpenAI gave its voices; most servers without a list of their own take them. */
export const USUAL_VOICES: readonly string[] = [
  'alloy',
  'ash',
  'coral',
  'echo',
  'fable',
  'nova',
  'onyx',
  'sage',
  'shimmer',
];

/** The voices that a server lists, undefined where it lists none; throws an `EngineError` when it cannot be reached. */
export async function listVoices(server: Server, signal: AbortSignal): Promise<readonly string[] | undefined> {
  const response = await ask(SPEECH, server, '/audio/voices', undefined, signal);
  const body: unknown = response.ok ? await response.json().catch(() => undefined) : undefined;
  if (!response.ok) await response.body?.cancel();
  const { voices, data } = (body ?? {}) as { voices?: unknown; data?: unknown };
  const list = [body, voices, data].find(Array.isArray) as unknown[] | undefined;
  const names = (list ?? []).map(nameOf).filter((name) => name !== '');
  return names.length > 0 ? [...new Set(names)] : undefined;
}

function nameOf(voice: unknown): string {
  if (typeof voice === 'string') return voice;
  const { id, voice_id, name } = (voice ?? {}) as Record<string, unknown>;
  const found = [id, voice_id, name].find((one) => typeof one === 'string');
  return typeof found === 'string' ? found : '';
}
