import { array, assert, integer, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HeardSamples } from '../../../src/client/heard-samples.ts';
import { levelOf } from '../../../src/client/level.ts';
import { MicOutbox } from '../../../src/client/outbox.ts';
import { connectionProblem, microphoneProblem } from '../../../src/client/problems.ts';
import { describeStatus, type Situation } from '../../../src/client/status-text.ts';

const frame = (n: number) => ({ frame: Float32Array.of(n) });

describe('what is said before the connection opens', () => {
  test('is kept in order with the changes of mode, and goes four times as fast as it came', () => {
    const outbox = new MicOutbox();
    outbox.push({ mode: 'held' });
    for (let i = 0; i < 6; i++) outbox.push(frame(i));
    outbox.push({ mode: 'off' });
    expect(outbox.take()).toEqual([{ mode: 'held' }, frame(0), frame(1), frame(2), frame(3)]);
    expect(outbox.take()).toEqual([frame(4), frame(5), { mode: 'off' }]);
    expect(outbox.take()).toEqual([]);
  });

  test('is at most the last 10 s, and the mode is never lost', () => {
    const outbox = new MicOutbox();
    outbox.push({ mode: 'open' });
    for (let i = 0; i < 1000; i++) outbox.push(frame(i));
    expect(outbox.frames * 0.032).toBeLessThanOrEqual(10);
    expect(outbox.frames * 0.032).toBeGreaterThan(9.9);
    const [mode, first] = outbox.take();
    expect(mode).toEqual({ mode: 'open' });
    expect(first).toEqual(frame(1000 - 312));
  });
});

describe('what was heard', () => {
  test('is what was put out less what the device holds back, at most ten times a second', () => {
    const heard = new HeardSamples(24_000);
    expect(heard.progress(1, 1000, 100, 0)).toEqual({ type: 'played', turn: 1, samples: 0 });
    expect(heard.progress(1, 4800, 100, 50)).toBeUndefined();
    expect(heard.of(1)).toBe(2400);
    expect(heard.progress(1, 7200, 100, 100)).toEqual({ type: 'played', turn: 1, samples: 4800 });
    expect(heard.final(1, 7200)).toEqual({ type: 'played', turn: 1, samples: 7200, final: true });
  });

  test('never falls and is never negative, however the latency changes', () => {
    assert(
      property(array(integer({ min: 0, max: 400 }), { maxLength: 50 }), (latencies) => {
        const heard = new HeardSamples(24_000);
        let last = 0;
        for (const [i, latency] of latencies.entries()) {
          const message = heard.progress(1, i * 1000, latency, i * 200);
          if (!message) continue;
          expect(message.samples).toBeGreaterThanOrEqual(last);
          expect(message.samples).toBeLessThanOrEqual(i * 1000);
          last = message.samples;
        }
      }),
    );
  });

  test('begins anew with the next turn, and an old turn says nothing more', () => {
    const heard = new HeardSamples(24_000);
    heard.progress(1, 9000, 0, 0);
    expect(heard.progress(2, 100, 0, 1)).toEqual({ type: 'played', turn: 2, samples: 100 });
    expect(heard.progress(1, 9500, 0, 500)).toBeUndefined();
  });
});

const calm: Situation = {
  link: 'ready',
  conversation: 'listening',
  live: true,
  muted: false,
  pushToTalk: false,
  held: false,
  voiceInputOff: false,
};

test.each<[Partial<Situation>, string]>([
  [{}, 'listening'],
  [{ conversation: 'hearing' }, 'hearing'],
  [{ conversation: 'thinking', live: false }, 'thinking'],
  [{ conversation: 'speaking', muted: true }, 'speaking'],
  [{ live: false }, 'idle'],
  [{ muted: true }, 'muted'],
  [{ pushToTalk: true }, 'muted'],
  [{ pushToTalk: true, held: true }, 'hearing'],
  [{ link: 'connecting' }, 'connecting'],
  [{ link: 'lost', conversation: 'speaking' }, 'offline'],
])('with %o the orb shows %s', (change, phase) => {
  const status = describeStatus({ ...calm, ...change });
  expect(status.phase).toBe(phase);
  expect(status.title).not.toBe('');
});

test('every failure of the microphone has words of its own and a way out', () => {
  const names = ['NotAllowedError', 'NotFoundError', 'NotReadableError', 'UnknownError'];
  const problems = names.map((name) => microphoneProblem(new DOMException('', name), true));
  problems.push(microphoneProblem(new TypeError(), true), microphoneProblem(undefined, false));
  expect(new Set(problems.map((problem) => problem.title)).size).toBe(problems.length);
  expect(microphoneProblem(new TypeError(), false).fix).toMatch(/https.*localhost/);
});

test('a connection that is lost for a moment is no problem; one that stays away is', () => {
  expect(connectionProblem({ state: 'waiting', retryInMs: 1, attempt: 1 })).toBeUndefined();
  expect(connectionProblem({ state: 'waiting', retryInMs: 1, attempt: 4 })?.fix).toContain('npm start');
  expect(connectionProblem({ state: 'closed', code: 4001, reason: '' })?.title).toContain('another tab');
  expect(connectionProblem({ state: 'closed', code: 1008, reason: 'Too much.' })?.fix).toContain('Too much.');
});

test('levels run from silence to a raised voice', () => {
  expect(levelOf(new Float32Array(100))).toBe(0);
  expect(levelOf(new Float32Array(0))).toBe(0);
  expect(levelOf(new Float32Array(100).fill(0.9))).toBe(1);
  expect(levelOf(new Float32Array(100).fill(0.03))).toBeGreaterThan(0.4);
});
