import { describe, expect, it } from 'vitest';
import { create } from '../../src/server/engines/llama-llm.ts';
import { missing, tinyLlama, tinySettings } from './llama-models.ts';
import { usageOf } from './llama-talk.ts';
import { replyOf, request, user } from './llm-suite.ts';

const tiny = tinyLlama();
const one = tinySettings(tiny, { conversations: 1, contextTokens: 4_096, maxTokens: 300 });

describe.skipIf(missing)(`replies that have to share one sequence${missing ?? ''}`, () => {
  it('are written one after the other, in the order they were asked for', async () => {
    await using model = await create(one);
    const done: number[] = [];
    const replies = [1, 2, 3, 4].map(async (i) => {
      const text = await replyOf(model, request(user(`number ${i}`)));
      done.push(i);
      return text;
    });
    for (const text of await Promise.all(replies)) expect(text.length).toBeGreaterThan(100);
    expect(done).toEqual([1, 2, 3, 4]);
  });

  it('end at once when they are aborted while they wait, and hold up nobody', async () => {
    await using model = await create(one);
    const abort = new AbortController();
    let first = 0;
    let waited: string | undefined;
    const last = { text: '' };
    const waiting: Promise<void>[] = [];
    for await (const _ of model.reply(request(user('the first')), new AbortController().signal)) {
      if (++first === 5) {
        waiting.push(replyOf(model, request(user('waits')), abort.signal).then((text) => void (waited = text)));
        waiting.push(replyOf(model, request(user('comes last'))).then((text) => void (last.text = text)));
      }
      if (first === 50) abort.abort();
      if (first === 60) await waiting[0];
    }
    await Promise.all(waiting);
    expect(waited).toBe('');
    expect(first).toBeGreaterThanOrEqual(60);
    expect(last.text.length).toBeGreaterThan(100);
  });

  it('can be aborted while their prompt is evaluated, of which nothing is lost', async () => {
    await using model = await create({ ...one, contextTokens: 4_096 });
    const asked = request(user('the sun and the moon and the house and the tree '.repeat(180)));
    const abort = new AbortController();
    const aborted = replyOf(model, asked, abort.signal);
    // Evaluating it takes many turns of the event loop.
    for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
    abort.abort();
    expect(await aborted).toBe('');
    expect(await replyOf(model, asked)).not.toBe('');
    const [usage] = (await usageOf(model)).slice(-1);
    expect(usage!.promptTokens).toBeGreaterThan(1_800);
    expect(usage!.evaluatedTokens).toBeLessThan(usage!.promptTokens);
  });
});
