import { ModelNotOffered, ModelStoreError } from './model-store-error.ts';
import { type Pause, pauseByClock, Retryable, retryAfterMs } from './retry.ts';

export type HubSettings = {
  /** Where the hub is, such as `https://huggingface.co`. */
  readonly hub: string;
  /** An access token; empty for none. */
  readonly token?: string;
  readonly fetch?: typeof fetch;
  readonly pause?: Pause;
  /** A connection that is silent for so long counts as dropped. */
  readonly stallMs?: number;
};

/** What a request is about, for messages. */
export type Subject = { readonly repo: string; readonly revision: string; readonly path?: string };

/** Sends requests to a hub, and says what a refusal means to the user. */
export class HubConnection {
  /** Without a slash at the end. */
  readonly url: string;
  readonly pause: Pause;
  readonly stallMs: number;
  readonly #token: string;
  readonly #fetch: typeof fetch;

  constructor({ hub, token = '', fetch: given = fetch, pause = pauseByClock, stallMs = 30_000 }: HubSettings) {
    this.url = hub.replace(/\/+$/, '');
    this.#token = token;
    this.#fetch = given;
    this.pause = pause;
    this.stallMs = stallMs;
  }

  /** Any answer, whatever its status; `Retryable` where there is none. The token goes to the hub's own origin only. */
  async send(url: URL, init: RequestInit & { headers: Record<string, string> }): Promise<Response> {
    const isHub = url.origin === new URL(this.url).origin;
    const authorization = isHub && this.#token !== '' ? { authorization: `Bearer ${this.#token}` } : {};
    try {
      return await this.#fetch(url, { ...init, headers: { ...init.headers, ...authorization } });
    } catch (cause) {
      throw new Retryable(`${url.origin} cannot be reached (${reason(cause)}).`, undefined, { cause });
    }
  }

  /** The error for something that the hub does not have. */
  missing({ repo, revision, path }: Subject): ModelStoreError {
    return new ModelNotOffered(`${this.url} has no ${path ?? 'repository'} in ${repo} at revision ${revision}.`);
  }

  /** The error for an answer that is none: `Retryable` where another try may go well. */
  refusal({ status, headers }: Response, subject: Subject): ModelStoreError | Retryable {
    const { repo } = subject;
    const what = subject.path === undefined ? repo : `${repo}/${subject.path}`;
    if (status === 404) return this.missing(subject);
    if (status === 401 && this.#token !== '') {
      return new ModelStoreError(
        `${this.url} does not accept the token in models.token (status 401 for ${what}): correct it in config.yml, or leave it empty where no model wants one.`,
      );
    }
    if (status === 401 || status === 403) {
      const have = this.#token === '' ? 'No token is set' : 'The token in models.token has no access';
      return new ModelNotOffered(
        `${this.url} refuses ${what} (status ${status}). ${have}: accept the model's licence at ${this.url}/${repo}, if it has one, and put a token of that account into models.token in config.yml.`,
      );
    }
    if (status === 408 || status === 425 || status === 429 || status >= 500) {
      return new Retryable(`${this.url} answers with status ${status}.`, retryAfterMs(headers.get('retry-after')));
    }
    return new ModelNotOffered(`${this.url} answers with status ${status} for ${what}.`);
  }
}

/** The innermost reason of an error: what `fetch failed` hides. */
export function reason(error: unknown): string {
  const { cause, message } = error as Error;
  if (cause instanceof Error) return reason(cause);
  return (error as NodeJS.ErrnoException).code ?? message;
}
