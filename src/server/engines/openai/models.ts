import { refusal, refused } from './refusal.ts';
import { ask, type Server } from './server.ts';
import type { Service } from './service.ts';

/** A model that a server has; `task` is what it says it is for, where it does. */
export type ListedModel = { readonly name: string; readonly task: string };

/** The models of a server; throws an `EngineError` that names the fix when it does not answer. */
export async function listModels(service: Service, server: Server, signal: AbortSignal): Promise<ListedModel[]> {
  const response = await ask(service, server, '/models', undefined, signal);
  if (!response.ok) throw refusal(service, { ...server, model: '' }, await refused(response), []);
  const list = (await response.json().catch(() => ({}))) as {
    data?: { id?: unknown; task?: unknown }[];
    models?: { name?: unknown; task?: unknown }[];
  };
  const found = list.data
    ? list.data.map(({ id, task }) => ({ name: id, task }))
    : (list.models ?? []).map(({ name, task }) => ({ name, task }));
  return found.flatMap(({ name, task }) =>
    typeof name === 'string' ? [{ name, task: typeof task === 'string' ? task : '' }] : [],
  );
}

/**
 * The model to ask for speech work where none is named: the server's first that says or is named for it, else its only one,
 * else `usual`, which most servers take for whatever they have.
 */
export async function speechModel(
  service: Service,
  server: Server,
  wanted: { readonly task: RegExp; readonly name: RegExp; readonly usual: string },
  signal: AbortSignal,
): Promise<string> {
  let models: ListedModel[];
  try {
    models = await listModels(service, server, signal);
  } catch (error) {
    // Many speech servers list nothing; one that cannot be reached says so again when it is asked.
    if (signal.aborted) throw error;
    return wanted.usual;
  }
  const fitting =
    models.find(({ task }) => wanted.task.test(task)) ??
    models.find(({ task, name }) => task === '' && wanted.name.test(name)) ??
    (models.length === 1 ? models[0] : undefined);
  return fitting?.name ?? wanted.usual;
}
