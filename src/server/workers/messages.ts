import type { FailedPart } from '../engines/contracts.ts';

/** An error in a form that crosses the process boundary. */
export type SentError = { readonly message: string; readonly stage?: FailedPart; readonly stack?: string };

/** What the server says to an engine's process. A call is one iteration of one of the engine's methods. */
export type ToWorker =
  | { type: 'start'; module: string; factory: string; settings: unknown }
  | { type: 'call'; id: number; method: string; args: unknown[]; hasInput: boolean }
  | { type: 'input'; id: number; item: unknown }
  | { type: 'end'; id: number }
  | { type: 'cancel'; id: number }
  | { type: 'ping' };

/** What an engine's process answers. Every call ends with exactly one `done` or `error`. */
export type FromWorker =
  | { type: 'ready'; facts: Record<string, unknown> }
  | { type: 'failed'; error: SentError }
  | { type: 'item'; id: number; item: unknown }
  | { type: 'done'; id: number }
  | { type: 'error'; id: number; error: SentError }
  | { type: 'pong' };

/** Gathers the messages of one turn of the event loop, because a process boundary costs per message, not per byte. */
export function batched<T>(send: (messages: T[]) => void): (message: T) => void {
  let waiting: T[] = [];
  return (message) => {
    if (waiting.push(message) > 1) return;
    setImmediate(() => {
      const messages = waiting;
      waiting = [];
      send(messages);
    });
  };
}
