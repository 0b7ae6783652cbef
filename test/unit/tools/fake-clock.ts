import type { Clock } from '../../../src/server/tools/clock.ts';

/** A clock that stands still until it is moved. */
export class FakeClock implements Clock {
  readonly timeZone: string;
  #now: number;
  #waiting: { at: number; go: () => void }[] = [];

  constructor(now = '2026-03-01T12:00:00Z', timeZone = 'Europe/Berlin') {
    this.#now = Date.parse(now);
    this.timeZone = timeZone;
  }

  now = () => new Date(this.#now);

  wait = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve();
      this.#waiting.push({ at: this.#now + ms, go: resolve });
      signal.addEventListener('abort', () => resolve(), { once: true });
    });

  /** Lets time pass, moment by moment. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const next = this.#waiting.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      this.#waiting = this.#waiting.filter((one) => one !== next);
      this.#now = next?.at ?? end;
      next?.go();
      await new Promise(setImmediate);
      if (!next) return;
    }
  }
}
