import { EngineError, type Stage } from '../contracts.ts';

/** What a scripted engine is told to do wrong. */
export type MishapSettings = {
  /** The call (counted from 1) that goes wrong; 0 for none. The calls before and after it work. */
  readonly failOnCall?: number;
  /**
   * `error` throws, `hang` waits for ever and ignores its signal, `block` stops the whole process from answering, `crash`
   * kills the process; `error` when left out.
   */
  readonly failure?: 'error' | 'hang' | 'block' | 'crash';
  /** How many items that call gives first, 0 when left out. */
  readonly failAfter?: number;
};

/** To be awaited before each item of a call: goes wrong where it should. */
export type Hazard = () => Promise<void>;

/** Counts the calls of one engine and lets the one go wrong that was named; give each call what this returns. */
export function mishaps(stage: Stage, settings: MishapSettings): () => Hazard {
  const { failOnCall = 0, failure = 'error', failAfter = 0 } = settings;
  let calls = 0;
  return () => {
    const fails = ++calls === failOnCall;
    const call = calls;
    let items = 0;
    return async () => {
      if (fails && items++ >= failAfter) await goWrong(stage, failure, call);
    };
  };
}

async function goWrong(stage: Stage, failure: NonNullable<MishapSettings['failure']>, call: number): Promise<void> {
  switch (failure) {
    case 'error':
      throw new EngineError(
        stage,
        `The scripted engine was told to fail on call ${call}; set failOnCall to 0 to stop that.`,
      );
    case 'hang':
      return new Promise(() => {});
    case 'block':
      for (;;);
    case 'crash':
      if (!process.send) {
        throw new EngineError(
          stage,
          'A scripted engine can only crash in a process of its own; set ownProcess to true.',
        );
      }
      // As a fault in native code does: nothing is cleaned up, nothing is said.
      process.kill(process.pid, 'SIGKILL');
      return new Promise(() => {});
  }
}
