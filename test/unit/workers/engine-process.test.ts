import { spawn } from 'node:child_process';
import { once, setMaxListeners } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type * as EngineProcessModule from '../../../src/server/workers/engine-process.ts';
import { built } from '../../fixtures/built.ts';

const { EngineProcess } = await built<typeof EngineProcessModule>('server/workers/engine-process.js');
type News = EngineProcessModule.EngineNews;
type Process = EngineProcessModule.EngineProcess;

const forever = new AbortController().signal;
setMaxListeners(0, forever);
const open: Process[] = [];
afterEach(async () => {
  for (const process of open.splice(0)) await process[Symbol.asyncDispose]();
});

async function start(settings: object = {}, onNews: (news: News) => void = () => {}): Promise<Process> {
  const process = await EngineProcess.start({
    stage: 'tts',
    name: 'wayward',
    module: new URL('../../fixtures/wayward-engine.mjs', import.meta.url),
    factory: 'create',
    settings,
    startMs: 1_500,
    stallMs: 1_200,
    canary: async (worker, signal) => {
      for await (const _ of worker.call('count', [1], undefined, signal)) return;
    },
    onNews,
  });
  open.push(process);
  return process;
}

async function all(items: AsyncIterable<unknown>): Promise<unknown[]> {
  const got: unknown[] = [];
  for await (const item of items) got.push(item);
  return got;
}

async function* given<T>(...items: T[]) {
  yield* items;
}

describe('an engine in a process of its own', () => {
  it('is called like one in this process, also many at once, with samples as input', async () => {
    const engine = await start();
    expect(engine.facts).toMatchObject({ rate: 16_000, voices: ['a'] });
    expect(engine.facts.pid).not.toBe(process.pid);
    expect(await all(engine.call('count', [3], undefined, forever))).toEqual([1, 2, 3]);
    const sent = [new Float32Array([0.5, -1]), new Float32Array(512).fill(0.25)];
    const echoes = await Promise.all(
      Array.from({ length: 20 }, () => all(engine.call('echo', [], given(...sent), forever))),
    );
    for (const echo of echoes) expect(echo).toEqual(sent);
  });

  it('keeps its properties while it is replaced', async () => {
    let whileDown: unknown;
    const engine: Process = await start({}, ({ state }) => {
      if (state === 'down') whileDown = { up: engine.up, rate: engine.facts.rate };
    });
    await expect(all(engine.call('crash', [], undefined, forever))).rejects.toThrow(/crashed/);
    expect(await all(engine.call('count', [1], undefined, forever))).toEqual([1]);
    expect(whileDown).toEqual({ up: false, rate: 16_000 });
  });

  it('shows what its libraries print while it loads, and nothing of it later, which may be what was said', async () => {
    const shown: string[] = [];
    const write = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      shown.push(String(text));
      return true;
    });
    try {
      const engine = await start({ prints: 'loading layers' });
      expect(await all(engine.call('print', ['marmalade'], undefined, forever))).toEqual(['marmalade']);
      // Pipes and messages come by different ways: by now all of it has come.
      await engine[Symbol.asyncDispose]();
    } finally {
      write.mockRestore();
    }
    expect(shown.join('')).toContain('loading layers');
    expect(shown.join('')).not.toContain('marmalade');
  });

  it('passes on an error with its stage and cause, and stays usable', async () => {
    const engine = await start();
    await expect(all(engine.call('fail', [], undefined, forever))).rejects.toMatchObject({
      name: 'EngineError',
      stage: 'tts',
      message: 'The model said no.',
      cause: expect.objectContaining({ stack: expect.stringContaining('wayward-engine') }),
    });
    expect(await all(engine.call('count', [1], undefined, forever))).toEqual([1]);
  });

  it('ends a call at once when it is aborted, and the engine hears of it', async () => {
    const engine = await start();
    const abort = new AbortController();
    const got: unknown[] = [];
    for await (const item of engine.call('untilAborted', [], undefined, abort.signal)) {
      got.push(item);
      abort.abort();
    }
    expect(got).toEqual(['first']);
    for (;;) {
      const [count] = await all(engine.call('aborted', [], undefined, forever));
      if (count === 1) break;
    }
  });

  it.each([
    ['crash', /crashed \(SIGABRT\)/],
    ['block', /hung/],
    ['hang', /hung/],
  ])('is replaced after a %s; calls in flight fail, later ones succeed', async (method, why) => {
    const news: News[] = [];
    const engine = await start({}, (item) => news.push(item));
    expect(await all(engine.call('calls', [], undefined, forever))).toEqual([1]);
    const bystander = all(engine.call('untilAborted', [], undefined, forever));
    bystander.catch(() => {});
    await expect(all(engine.call(method, [], undefined, forever))).rejects.toThrow(why);
    await expect(bystander).rejects.toThrow(why);
    expect(await all(engine.call('calls', [], undefined, forever))).toEqual([1]);
    expect(news.map((item) => item.state)).toEqual(['down', 'up']);
    expect(engine.restarts).toBe(1);
  });

  it('does not take a call for hung that waits for its input', async () => {
    const engine = await start();
    async function* slowly() {
      yield 1;
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      yield 2;
    }
    expect(await all(engine.call('echo', [], slowly(), forever))).toEqual([1, 2]);
    expect(await all(engine.call('echo', [], slowly(), forever, { resultPerItem: true }))).toEqual([1, 2]);
    expect(engine.restarts).toBe(0);
  });

  it('does not take a call for hung that waits for its turn', async () => {
    const engine = await start();
    const calls = Array.from({ length: 5 }, () => all(engine.call('inTurn', [600], undefined, forever)));
    expect(await Promise.all(calls)).toEqual(calls.map(() => [600]));
    expect(engine.restarts).toBe(0);
  });

  it.each([
    ['fail', 'There is no such model.'],
    ['hang', 'The tts engine wayward did not load within 1.5 s.'],
    ['crash', 'The tts engine wayward crashed (exit code 7).'],
  ])('says why it did not start: %s', async (load, message) => {
    await expect(start({ load })).rejects.toThrow(message);
  });

  it('leaves no process behind, and may be closed twice', async () => {
    const engine = await start();
    const pid = engine.facts.pid as number;
    await engine[Symbol.asyncDispose]();
    await engine[Symbol.asyncDispose]();
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  it('does not outlive a server that was killed, though it computes for ever', async () => {
    const server = spawn(process.execPath, [new URL('../../fixtures/doomed-server.mjs', import.meta.url).pathname]);
    const [pid] = await once(server.stdout, 'data');
    server.kill('SIGKILL');
    const lives = () => {
      try {
        return process.kill(Number(String(pid)), 0);
      } catch {
        return false;
      }
    };
    await expect.poll(lives, { timeout: 10_000, interval: 100 }).toBe(false);
  });
});
