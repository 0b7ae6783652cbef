import { setTimeout as sleep } from 'node:timers/promises';
import { createWan22 } from '../../src/server/video/base/wan22/wan22.ts';
import { roomyMachine, Wan22Bench } from '../fixtures/wan22.ts';
import { baseClipSuite } from './base-clips-suite.ts';

baseClipSuite('Wan2.2 (a stand-in for LightX2V)', async () => {
  const bench = new Wan22Bench();
  const store = {
    find: async () => undefined,
    missing: async () => ({ bytes: 0, files: 0 }),
    pull: async () => [],
  };
  const maker = createWan22(bench.settings(), { machine: roomyMachine, store, pollMs: 5, pause: async () => {} });
  return {
    maker,
    hold: () => {
      bench.hold();
      bench.behave({ holdAt: 2 });
      const reached = (async () => {
        while (bench.record('held').length === 0) await sleep(5);
      })();
      return {
        reached,
        goOn: () => {
          bench.behave({});
          bench.go();
        },
      };
    },
    breakIt: () => bench.behave({ dieAt: 1 }),
    async [Symbol.asyncDispose]() {
      await maker[Symbol.asyncDispose]();
      bench[Symbol.dispose]();
    },
  };
});
