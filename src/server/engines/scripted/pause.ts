import { setTimeout } from 'node:timers/promises';

/** Waits `ms`, or until `signal` aborts; 0 does not wait at all, not even for a timer. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await setTimeout(ms, undefined, { signal }).catch(() => {});
}
