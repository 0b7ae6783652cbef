import { setTimeout } from 'node:timers/promises';

/** The time that tools live in. */
export type Clock = {
  readonly now: () => Date;
  /** Resolves after `ms`, or as soon as `signal` aborts. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
  /** The user's time zone, such as `Europe/Berlin`. */
  readonly timeZone: string;
};

/** The clock of this machine. */
export const systemClock: Clock = {
  now: () => new Date(),
  // Whoever waits must not keep a process alive that wants to end.
  wait: (ms, signal) => setTimeout(ms, undefined, { signal, ref: false }).catch(() => {}),
  timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
};
