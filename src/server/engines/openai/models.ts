import { refusal, refused } from './refusal.ts';
import { ask, type Server } from './server.ts';
import type { Service } from './service.ts';

/** A model that a server has; `task` is what it says it is for, where it does. */
export type ListedModel = { readonly name: string; readonly task: string };

/** The models of a server; throws an `EngineError` that names the fix when it does not answer. */
export async function listModels(service: Service, server: Server, signal: AbortSignal): Promise<ListedModel[]> {
  const response = await ask(service, server, '/models', undefined, signal);
  if (!response.ok) throw refusal(service, { ...server, model: '' }, await refused(response), []);
  return modelsOf(await response.json().catch(() => ({})));
}

/** Which of a server's models a stage wants: by what they say they are for, else by their name, else one of this name. */
export type WantedModel = { readonly task: RegExp; readonly name: RegExp; readonly usual: string };

/**
 * The model to ask for where none is named: the server's first that is for it, else its only one, else the usual name, which
 * many servers take for whatever they have. Throws an `EngineError` when the server cannot be asked.
 */
export async function fittingModel(
  service: Service,
  server: Server,
  wanted: WantedModel,
  signal: AbortSignal,
): Promise<string> {
  const response = await ask(service, server, '/models', undefined, signal);
  const refusedUs = response.status === 401 || response.status === 403;
  if (refusedUs) throw refusal(service, { ...server, model: '' }, await refused(response), []);
  // Many speech servers list nothing.
  const models = modelsOf(await response.json().catch(() => ({})));
  const fitting =
    models.find(({ task }) => wanted.task.test(task)) ??
    models.find(({ task, name }) => task === '' && wanted.name.test(name)) ??
    (models.length === 1 ? models[0] : undefined);
  return fitting?.name ?? wanted.usual;
}

function modelsOf(body: unknown): ListedModel[] {
  const list = body as {
    data?: { id?: unknown; task?: unknown }[];
    models?: { name?: unknown; task?: unknown }[];
  } | null;
  const found = Array.isArray(list?.data)
    ? list.data.map(({ id, task }) => ({ name: id, task }))
    : Array.isArray(list?.models)
      ? list.models
      : [];
  return found.flatMap(({ name, task }) =>
    typeof name === 'string' ? [{ name, task: typeof task === 'string' ? task : '' }] : [],
  );
}
