import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { abortable } from '../../../src/server/async/abortable.ts';
import { Queue } from '../../../src/server/async/queue.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

describe('a stream that can be left', () => {
  it('keeps nothing of what it has handed on: a session reads one for hours', async () => {
    const source = new Queue<Float32Array>();
    const items = abortable(source, new AbortController().signal);
    const handedOn: WeakRef<Float32Array>[] = [];
    for (let i = 0; i < 200; i++) {
      const next = items.next();
      source.push(new Float32Array(480));
      handedOn.push(new WeakRef((await next).value!));
    }
    // What a promise waits for is kept until the event loop has turned.
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
    expect(handedOn.filter((item) => item.deref() !== undefined).length).toBeLessThan(5);
    await items.return();
  });

  it('ends at once when its signal aborts, though the source never answers', async () => {
    const abort = new AbortController();
    const next = abortable(new Queue<number>(), abort.signal).next();
    abort.abort();
    expect(await next).toEqual({ done: true, value: undefined });
  });

  it('asks nothing of its source when its signal has aborted before', async () => {
    let asked = false;
    async function* source() {
      asked = true;
      yield 1;
    }
    const items = abortable(source(), AbortSignal.abort());
    expect(await items.next()).toEqual({ done: true, value: undefined });
    expect(asked).toBe(false);
  });

  it('passes on what the source throws', async () => {
    const source = new Queue<number>();
    source.fail(new Error('broken'));
    await expect(abortable(source, new AbortController().signal).next()).rejects.toThrow('broken');
  });
});
