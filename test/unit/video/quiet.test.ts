import { describe, expect, it } from 'vitest';
import { Quiet } from '../../../src/server/video/quiet.ts';
import { HandClock, settle } from '../../fixtures/video.ts';

const never = new AbortController().signal;

/** Notes whether `promise` has ended, and how. */
function watch(promise: Promise<void>): { state: string } {
  const seen = { state: 'waits' };
  promise.then(
    () => {
      seen.state = 'quiet';
    },
    (error) => {
      seen.state = String(error);
    },
  );
  return seen;
}

describe('quiet', () => {
  it('is when nobody has talked for long enough, counted from the start', async () => {
    const clock = new HandClock();
    const seen = watch(new Quiet(clock).whenQuiet(20, never));
    clock.advance(19_999);
    await settle();
    expect(seen.state).toBe('waits');
    clock.advance(1);
    await settle();
    expect(seen.state).toBe('quiet');
  });

  it('begins anew whenever the last of several has stopped talking', async () => {
    const clock = new HandClock();
    const quiet = new Quiet(clock);
    const seen = watch(quiet.whenQuiet(20, never));
    clock.advance(15_000);
    quiet.talks(true, 'a');
    quiet.talks(true, 'b');
    quiet.talks(true, 'b');
    clock.advance(60_000);
    quiet.talks(false, 'a');
    clock.advance(60_000);
    await settle();
    expect([seen.state, quiet.talking]).toEqual(['waits', true]);
    quiet.talks(false, 'b');
    quiet.talks(false, 'never talked');
    await settle();
    clock.advance(19_000);
    await settle();
    expect(seen.state).toBe('waits');
    clock.advance(1_000);
    await settle();
    expect(seen.state).toBe('quiet');
  });

  it('without a wait is as soon as nobody talks', async () => {
    const quiet = new Quiet(new HandClock());
    await quiet.whenQuiet(0, never);
    quiet.talks(true);
    const seen = watch(quiet.whenQuiet(0, never));
    await settle();
    expect(seen.state).toBe('waits');
    quiet.talks(false);
    await settle();
    expect(seen.state).toBe('quiet');
  });

  it('is not waited for by who has left', async () => {
    const clock = new HandClock();
    const quiet = new Quiet(clock);
    const leaving = new AbortController();
    const [early, later] = [watch(quiet.whenQuiet(20, leaving.signal)), watch(quiet.whenQuiet(20, never))];
    leaving.abort('left');
    await settle();
    expect([early.state, later.state]).toEqual(['left', 'waits']);
    await expect(quiet.whenQuiet(0, AbortSignal.abort('gone'))).rejects.toBe('gone');
    quiet.talks(true);
    const busy = watch(quiet.whenQuiet(20, AbortSignal.any([leaving.signal])));
    await settle();
    expect(busy.state).toBe('left');
  });

  it('ends with a signal that says when somebody begins to talk', () => {
    const quiet = new Quiet(new HandClock());
    const before = quiet.talk;
    expect(before.aborted).toBe(false);
    quiet.talks(true, 'a');
    expect(before.aborted).toBe(true);
    expect(quiet.talk.aborted).toBe(true);
    quiet.talks(false, 'a');
    expect(quiet.talk.aborted).toBe(false);
  });
});
