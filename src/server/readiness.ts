import type { Stage } from './engines/contracts.ts';
import type { OpenEngine } from './open-engines.ts';

export type Readiness = { readonly ready: boolean; readonly stages: Record<string, string> };

/** How long an answer holds: whoever asks every second must not load the engines. */
const FRESH_MS = 10_000;

/** Whether every engine answers a small real call; asked at most every ten seconds. */
export class ReadinessCheck {
  readonly #stages: Readonly<Record<Stage, OpenEngine>>;
  #last: { at: number; result: Promise<Readiness> } | undefined;

  constructor(stages: Readonly<Record<Stage, OpenEngine>>) {
    this.#stages = stages;
  }

  async check(): Promise<Readiness> {
    const down = Object.entries(this.#stages).filter(([, engine]) => !engine.up());
    if (down.length > 0) {
      return { ready: false, stages: Object.fromEntries(down.map(([stage]) => [stage, 'is being replaced'])) };
    }
    if (!this.#last || performance.now() - this.#last.at > FRESH_MS) {
      this.#last = { at: performance.now(), result: this.#tryAll() };
    }
    return this.#last.result;
  }

  async #tryAll(): Promise<Readiness> {
    const results = await Promise.all(
      Object.entries(this.#stages).map(async ([stage, engine]) => {
        const failure = await engine.canary().then(
          () => undefined,
          (error: unknown) => (error instanceof Error ? error.message : String(error)),
        );
        return [stage, failure ?? 'ok'] as const;
      }),
    );
    return { ready: results.every(([, result]) => result === 'ok'), stages: Object.fromEntries(results) };
  }
}
