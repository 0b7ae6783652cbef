import { expect, it } from 'vitest';
import type * as WorkerModule from '../../../src/server/workers/worker.ts';
import { built } from '../../fixtures/built.ts';

const { Worker } = await built<typeof WorkerModule>('server/workers/worker.js');

it('fails a call that comes after its process has ended', async () => {
  const worker = new Worker({
    stage: 'tts',
    name: 'wayward',
    module: new URL('../../fixtures/wayward-engine.mjs', import.meta.url),
    factory: 'create',
    settings: {},
    startMs: 5_000,
    stallMs: 5_000,
  });
  await worker.start();
  worker.kill('was stopped');
  await worker.ended;
  const late = worker.call('count', [1], undefined, new AbortController().signal);
  await expect(late[Symbol.asyncIterator]().next()).rejects.toThrow('The tts engine wayward was stopped');
});
