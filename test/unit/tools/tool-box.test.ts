import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { ToolBox } from '../../../src/server/conversation/tool-box.ts';
import type { Tool } from '../../../src/server/tools/tool.ts';
import { createToolBox, type ToolName, toolBoxOf } from '../../../src/server/tools/tool-box.ts';
import { FakeClock } from './fake-clock.ts';

const never = new AbortController().signal;

/** A session's tools, with what they said aloud. */
function session(names: readonly ToolName[], clock = new FakeClock()) {
  const said: string[] = [];
  const closed = new AbortController();
  const box = createToolBox(names, clock)((sentence) => said.push(sentence), closed.signal);
  return { box, said, clock, close: () => closed.abort(), call: caller(box) };
}

const caller =
  (box: ToolBox) =>
  (name: string, args: unknown = {}, signal = never) =>
    box.run({ id: 'c', name, args }, signal);

/** Tools of a test's own. */
function own(run: Tool['run'], clock = new FakeClock()) {
  const tool: Tool = { name: 'own', description: 'Does it.', args: z.object({ count: z.number().optional() }), run };
  return { clock, call: caller(toolBoxOf([tool], clock)(() => {}, never)) };
}

describe('a box of tools', () => {
  it('describes them as JSON schemas of what is to be sent', () => {
    const { box } = session(['time', 'calculator', 'timer']);
    expect(box.descriptions.map(({ name }) => name)).toEqual(['time', 'calculator', 'timer']);
    const [time, calculator, timer] = box.descriptions.map(({ parameters }) => parameters);
    expect(time).toMatchObject({ type: 'object', properties: { place: { type: 'string' } } });
    expect(time).not.toHaveProperty('required');
    expect(calculator).toMatchObject({ required: ['expression'] });
    expect(timer).toMatchObject({ properties: { action: { enum: ['set', 'list', 'cancel'] } } });
    expect(structuredClone(box.descriptions)).toEqual(box.descriptions);
  });

  it('has those that are named, each once, and none for none', () => {
    expect(session(['time', 'time']).box.descriptions).toHaveLength(1);
    expect(session([]).box.descriptions).toEqual([]);
  });

  it('names the tools there are when asked for another', async () => {
    const { call } = session(['time', 'timer']);
    expect(await call('weather')).toBe('There is no tool "weather"; there is time, timer.');
  });

  it.each([
    ['nothing', undefined],
    ['text that is no JSON', '{"expression": '],
    ['a list', ['1 + 1']],
    ['a wrong type', { expression: 12 }],
    ['too much', { expression: '1+'.repeat(300) }],
  ])('says what is wrong with arguments that are %s', async (_, args) => {
    const { call } = session(['calculator']);
    expect(await call('calculator', args)).toMatch(/^The arguments of calculator are wrong: .+\. Call it again/);
  });

  it('takes numbers as text, and null for what is left out', async () => {
    const { call } = session(['timer']);
    expect(await call('timer', { minutes: '5', seconds: null, label: null })).toContain('5 minutes');
  });

  it('makes a sentence of a failure', async () => {
    const { call } = own(async () => {
      throw new Error('The sky is closed.');
    });
    expect(await call('own')).toBe('The tool own failed: The sky is closed.');
  });

  it('leaves a tool behind that takes longer than 10 s, and tells it to stop', async () => {
    let given: AbortSignal | undefined;
    const { call, clock } = own((_, __, signal) => {
      given = signal;
      return new Promise(() => {});
    });
    const result = call('own');
    await clock.pass(9_999);
    expect(given?.aborted).toBe(false);
    await clock.pass(1);
    expect(await result).toContain('took longer than 10 seconds');
    expect(given?.aborted).toBe(true);
  });

  it('returns at once when aborted, whatever the tool does', async () => {
    const { call } = own(() => new Promise(() => {}));
    const stop = new AbortController();
    const result = call('own', {}, stop.signal);
    stop.abort();
    expect(await result).toEqual(expect.any(String));
  });

  it('cuts a result that would fill the context', async () => {
    const { call } = own(async () => 'x'.repeat(100_000));
    expect((await call('own')).length).toBeLessThan(4_100);
  });
});

describe('the time', () => {
  it.each([
    [{}, "It is 13:00 (1:00 PM) on Sunday, March 1, 2026 in the user's time zone (Europe/Berlin, UTC+01:00)."],
    [{ place: 'Tokyo' }, 'It is 21:00 (9:00 PM) on Sunday, March 1, 2026 in Tokyo (Asia/Tokyo, UTC+09:00).'],
    [{ place: 'asia/tokyo' }, '(Asia/Tokyo, UTC+09:00)'],
    [{ place: 'new york' }, '07:00 (7:00 AM) on Sunday, March 1, 2026 in new york (America/New_York, UTC-05:00)'],
    [{ place: 'New_York' }, 'America/New_York'],
    [{ place: 'San Francisco' }, 'America/Los_Angeles'],
    [{ place: 'Paris, France' }, 'Europe/Paris'],
    [{ place: 'Zürich' }, 'Europe/Zurich'],
    [{ place: 'São Paulo' }, 'America/Sao_Paulo'],
    [{ place: 'Mumbai' }, '17:30'],
    [{ place: 'Auckland' }, 'Monday, March 2, 2026'],
    [{ place: 'UTC' }, '12:00 (12:00 PM)'],
    [{ place: 'Middle Earth' }, 'No time zone is known for "Middle Earth"'],
    [{ place: '../etc' }, 'No time zone is known'],
  ])('of %j: %s', async (args, expected) => {
    expect(await session(['time']).call('time', args)).toContain(expected);
  });
});

describe('the calculator', () => {
  it.each([
    ['2 + 2', '2 + 2 = 4'],
    ['1/3', '1/3 is about 0.3333333333'],
    ['10^20', '10^20 = 100,000,000,000,000,000,000, about 1.000 times ten to the power of 20'],
    ['1/0', '1/0 cannot be calculated: Division by zero has no result.'],
  ])('%s', async (expression, expected) => {
    expect(await session(['calculator']).call('calculator', { expression })).toBe(expected);
  });
});

describe('a timer', () => {
  it('says so aloud when it is over', async () => {
    const { box, call, said, clock } = session(['timer']);
    expect(box.pending).toBe(false);
    expect(await call('timer', { action: 'set', minutes: 1, seconds: 30 })).toContain('1 minute and 30 seconds');
    await clock.pass(89_999);
    expect(said).toEqual([]);
    expect(box.pending).toBe(true);
    await clock.pass(1);
    expect(box.pending).toBe(false);
    expect(said).toEqual(['Your timer of 1 minute and 30 seconds is over.']);
    expect(await call('timer', { action: 'list' })).toBe('No timer is running.');
  });

  it('says its label, or what it was told to say', async () => {
    const { call, said, clock } = session(['timer']);
    await call('timer', { seconds: 5, label: 'tea' });
    await call('timer', { seconds: 6, announcement: 'Die Nudeln sind fertig.' });
    await clock.pass(6_000);
    expect(said).toEqual(['Your timer for tea, 5 seconds, is over.', 'Die Nudeln sind fertig.']);
  });

  it('is listed with what is left of it, the next one first', async () => {
    const { call, clock } = session(['timer']);
    await call('timer', { hours: 1, label: 'cake' });
    await call('timer', { minutes: 10 });
    await clock.pass(60_000);
    expect(await call('timer', { action: 'list' })).toBe(
      'Running: a timer of 10 minutes, 9 minutes left; a timer for cake of 1 hour, 59 minutes left.',
    );
  });

  it('is cancelled by its label, or with all others', async () => {
    const { call, said, clock } = session(['timer']);
    await call('timer', { minutes: 3, label: 'Tea' });
    await call('timer', { minutes: 4, label: 'eggs' });
    await call('timer', { minutes: 5, label: 'rice' });
    expect(await call('timer', { action: 'cancel', label: 'soup' })).toContain('no timer has the label "soup"');
    expect(await call('timer', { action: 'cancel', label: 'tea' })).toBe(
      'Cancelled: the timer for Tea, 3 minutes before its end.',
    );
    expect(await call('timer', { action: 'cancel' })).toContain('eggs');
    expect(await call('timer', { action: 'cancel' })).toContain('no timer is running');
    await clock.pass(3_600_000);
    expect(said).toEqual([]);
  });

  it.each([[{}], [{ seconds: 0.2 }], [{ hours: 25 }]])('of %j is not set', async (args) => {
    const { call, said, clock } = session(['timer']);
    expect(await call('timer', args)).toContain('No timer was set');
    await clock.pass(90_000_000);
    expect(said).toEqual([]);
  });

  it("is the session's own, and ends with it", async () => {
    const [one, other] = [session(['timer']), session(['timer'])];
    await one.call('timer', { seconds: 5 });
    expect(await other.call('timer', { action: 'list' })).toContain('No timer');
    one.close();
    await one.clock.pass(10_000);
    expect(one.said).toEqual([]);
  });

  it('outlives the turn in which it was set', async () => {
    const { call, said, clock } = session(['timer']);
    const turn = new AbortController();
    await call('timer', { seconds: 5 }, turn.signal);
    turn.abort();
    await clock.pass(5_000);
    expect(said).toHaveLength(1);
  });

  it('is refused when too many run', async () => {
    const { call } = session(['timer']);
    for (let i = 0; i < 50; i++) await call('timer', { minutes: 1 });
    expect(await call('timer', { minutes: 1 })).toContain('50 timers run already');
  });
});
