import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChatModel } from '../../src/server/engines/contracts.ts';
import type * as EngineProcessModule from '../../src/server/workers/engine-process.ts';
import type * as RemoteModule from '../../src/server/workers/remote-engines.ts';
import { built } from '../fixtures/built.ts';
import { missing, tinyLlama, tinySettings } from './llama-models.ts';
import { replyOf, request, user } from './llm-suite.ts';

const { EngineProcess } = await built<typeof EngineProcessModule>('server/workers/engine-process.js');
const { remoteLlm } = await built<typeof RemoteModule>('server/workers/remote-engines.js');

describe.skipIf(missing)(`the llama engine in a process of its own${missing ?? ''}`, () => {
  let running: EngineProcessModule.EngineProcess;
  let model: ChatModel;
  const news: string[] = [];
  beforeAll(async () => {
    running = await EngineProcess.start({
      stage: 'llm',
      name: 'llama',
      module: new URL('../../dist/server/engines/llama-llm.js', import.meta.url),
      factory: 'create',
      settings: tinySettings(tinyLlama(), { maxTokens: 900, contextTokens: 2_048 }),
      startMs: 30_000,
      stallMs: 10_000,
      canary: async (worker, signal) => {
        for await (const _ of remoteLlm(worker).reply(request(user('hi')), signal)) return;
      },
      onNews: ({ state }) => news.push(state),
    });
    model = remoteLlm(running);
  });
  afterAll(() => running[Symbol.asyncDispose]());

  it('says where it runs', () => {
    expect(running.facts.runsOn).toBe('CPU, 1 thread');
  });

  it('gives nothing after an abort, at whatever moment', async () => {
    for (let tokens = 0; tokens < 20; tokens++) {
      const abort = new AbortController();
      let given = 0;
      let after = 0;
      const asked = request(user(`tell me of the sun ${'and the moon '.repeat(20 * (tokens % 3))}`));
      for await (const _ of model.reply(asked, abort.signal)) {
        if (abort.signal.aborted) after++;
        if (++given > tokens) abort.abort();
      }
      expect(after).toBe(0);
    }
    expect(await replyOf(model, request(user('hello')))).not.toBe('');
  });

  it.skipIf(process.platform !== 'linux')('is loaded again when it is killed in the middle of a reply', async () => {
    const killed = (async () => {
      let given = 0;
      for await (const _ of model.reply(request(user('tell me a story')), new AbortController().signal)) {
        if (++given === 3) process.kill(childPid(), 'SIGKILL');
      }
    })();
    await expect(killed).rejects.toThrow(/The llm engine llama crashed \(SIGKILL\)/);
    expect(await replyOf(model, request(user('hello')))).not.toBe('');
    expect(news).toEqual(['down', 'up']);
  });
});

/** The engine's process: the only child of this one that runs the worker host. */
function childPid(): number {
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .map(Number);
  const hosts = children.filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('workers/host'));
  return hosts[0]!;
}
