import { setTimeout as sleep } from 'node:timers/promises';

/** Waits; rejects when `signal` aborts. A test can put its own in its place. */
export type Pause = (ms: number, signal: AbortSignal) => Promise<void>;

/** Waits by the clock. */
export const pauseByClock: Pause = (ms, signal) => sleep(ms, undefined, { signal });

/** Something that may go well when it is tried again, not before `afterMs` if the server said so. */
export class Retryable extends Error {
  override readonly name = 'Retryable';
  readonly afterMs: number | undefined;
  constructor(message: string, afterMs?: number, options?: ErrorOptions) {
    super(message, options);
    this.afterMs = afterMs;
  }
}

/** Tries without any progress before giving up. */
export const MAX_TRIES = 6;

/** How long to wait after the given number of fruitless tries (from 1): 0.5 s, doubled each time, at most 30 s; or as told. */
export function pauseAfter(tries: number, { afterMs }: Retryable): number {
  const growing = Math.min(30_000, 500 * 2 ** (tries - 1));
  // A quarter more or less, so that programs that failed together do not come back together.
  return Math.max(growing * (0.75 + Math.random() / 2), afterMs ?? 0);
}

/** Calls until it does not throw `Retryable`; the last such error is thrown after `MAX_TRIES`. */
export async function retry<T>(call: () => Promise<T>, pause: Pause, signal: AbortSignal): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await call();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Retryable) || tries === MAX_TRIES) throw error;
      await pause(pauseAfter(tries, error), signal);
    }
  }
}

/** Milliseconds from a `Retry-After` header (seconds or a date), at most ten minutes. */
export function retryAfterMs(header: string | null): number | undefined {
  if (header === null) return undefined;
  const ms = /^\s*\d+\s*$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.min(600_000, Math.max(0, ms));
}
