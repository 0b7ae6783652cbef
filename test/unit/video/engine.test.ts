import { describe, expect, it } from 'vitest';
import { VideoError } from '../../../src/server/video/contracts.ts';
import type { Body, ReplyWords } from '../../../src/server/video/speaking-bodies.ts';
import { type ClipFacts, VideoEngine } from '../../../src/server/video/video-engine.ts';
import { FakeBodies, FakeClips, FakeWorker, HandClock, listen, settle } from '../../fixtures/video.ts';

const RATE = 100;
const second = () => new Float32Array(RATE);

function setup() {
  const worker = new FakeWorker();
  worker.writes = false;
  const bodies = new FakeBodies();
  const clips = new FakeClips();
  const clock = new HandClock();
  const ends: ClipFacts[] = [];
  const engine = new VideoEngine({ worker, bodies, clips, rate: RATE, clock, onEnd: (facts) => ends.push(facts) });
  const open = () => {
    const video = engine.open();
    return { video, told: listen(video) };
  };
  return { worker, bodies, clips, clock, ends, engine, ...open(), open };
}

const brief = (events: readonly { type: string; turn: number }[]) => events.map(({ type, turn }) => `${type} ${turn}`);

describe('a reply becomes a clip', () => {
  it('while it is still spoken', async () => {
    const { video, told, worker, clips, bodies, ends } = setup();
    video.speech(1, second());
    await settle();
    worker.last.give(10);
    video.speech(1, second());
    await settle();
    expect(told.events).toEqual([
      { type: 'progress', turn: 1, stage: 'speaking' },
      { type: 'clip', turn: 1, clip: 'clip-1', mime: 'video/mp4', width: 512, height: 512 },
      { type: 'bytes', turn: 1, bytes: new Uint8Array(10) },
    ]);
    video.end(1);
    worker.last.give(5);
    await worker.last.finish();
    await settle();
    expect(told.events.at(-1)).toEqual({ type: 'done', turn: 1, clip: 'clip-1', bytes: 15, seconds: 2 });
    expect(worker.last).toMatchObject({ heard: 2 * RATE, speechEnded: true });
    expect({ finished: clips.finished, growing: clips.growing, lent: bodies.lent }).toEqual({
      finished: 1,
      growing: 0,
      lent: 0,
    });
    expect(ends).toEqual([{ end: { kind: 'done' }, speechSeconds: 2, seconds: 0 }]);
  });

  it('only if it is spoken', async () => {
    const { video, told, worker } = setup();
    video.text(1, 'words alone');
    video.speech(1, new Float32Array(0));
    video.end(1);
    video.speech(1, second());
    await settle();
    expect(worker.speaks).toEqual([]);
    expect(told.events).toEqual([]);
  });

  it('even if the first body is still being prepared, which is said', async () => {
    const { video, told, worker, bodies } = setup();
    bodies.isReady = false;
    video.speech(1, second());
    await settle();
    expect(told.events).toEqual([{ type: 'progress', turn: 1, stage: 'base' }]);
    expect(worker.speaks).toEqual([]);
    bodies.prepare();
    await settle();
    expect(worker.running).toBe(1);
  });
});

describe('one clip at a time', () => {
  it('the newest reply of a conversation takes the place of the older', async () => {
    const { video, told, worker, clips } = setup();
    video.speech(1, second());
    await settle();
    const first = worker.last;
    first.give();
    await settle();
    video.speech(2, second());
    await settle();
    expect(first).toMatchObject({ state: 'over', cancelled: true });
    expect(worker.speaks.length).toBe(2);
    video.speech(1, second());
    first.give();
    worker.last.give();
    await settle();
    expect(brief(told.events)).toEqual(['progress 1', 'clip 1', 'bytes 1', 'progress 2', 'clip 2', 'bytes 2']);
    expect(clips.growing).toBe(1);
  });

  it('other conversations wait in the order in which they came, each with its newest reply', async () => {
    const { video, worker, open } = setup();
    const [second1, third] = [open(), open()];
    video.speech(1, second());
    await settle();
    second1.video.speech(7, second());
    third.video.speech(3, second());
    await settle();
    // Quick turns do not cost the conversation its place.
    second1.video.speech(8, second());
    await settle();
    expect(second1.told.events).toEqual([
      { type: 'progress', turn: 7, stage: 'waiting' },
      { type: 'progress', turn: 8, stage: 'waiting' },
    ]);
    expect(worker.speaks.length).toBe(1);
    for (const [{ video, told }, turn] of [
      [second1, 8],
      [third, 3],
    ] as const) {
      video.end(turn);
      worker.last.fail(new VideoError('over'));
      await settle();
      expect(told.events.at(-1)).toEqual({ type: 'progress', turn, stage: 'speaking' });
      expect(worker.running).toBe(1);
    }
  });

  it('a worker that does not let go of a cancelled clip holds up the next one for five seconds at most', async () => {
    const { video, told, worker, clock, clips } = setup();
    worker.deaf = true;
    video.speech(1, second());
    await settle();
    const hung = worker.last;
    video.cancel(1);
    video.speech(2, second());
    await settle();
    expect(worker.speaks.length).toBe(1);
    clock.advance(5_000);
    await settle();
    expect(worker.speaks.length).toBe(2);
    hung.give();
    await settle();
    // It was left at its first sign of life, and its clip dropped.
    expect({ state: hung.state, growing: clips.growing }).toEqual({ state: 'over', growing: 1 });
    worker.last.give();
    await settle();
    expect(brief(told.events)).toEqual(['progress 1', 'progress 2', 'clip 2', 'bytes 2']);
  });
});

describe('a reply that is cut', () => {
  it('before its turn never reaches the worker', async () => {
    const { video, worker, open } = setup();
    const other = open();
    video.speech(1, second());
    await settle();
    other.video.speech(1, second());
    other.video.cancel(1);
    other.video.speech(1, second());
    video.cancel(1);
    await settle();
    expect(worker.speaks.length).toBe(1);
    expect(worker.running).toBe(0);
  });

  it('while its body is prepared gives the body back', async () => {
    const { video, bodies, worker, told } = setup();
    bodies.isReady = false;
    video.speech(1, second());
    await settle();
    video.cancel(1);
    bodies.prepare();
    await settle();
    expect(worker.speaks).toEqual([]);
    expect(brief(told.events)).toEqual(['progress 1']);
  });

  it('tells nothing more, not even what was not read yet, and drops its clip', async () => {
    const { video, worker, clips, bodies, ends } = setup();
    const reader = video.read(new AbortController().signal)[Symbol.asyncIterator]();
    video.speech(1, second());
    await settle();
    worker.last.give();
    await settle();
    video.cancel(1);
    video.speech(2, second());
    await settle();
    expect((await reader.next()).value).toEqual({ type: 'progress', turn: 2, stage: 'speaking' });
    expect({ growing: clips.growing, lent: bodies.lent }).toEqual({ growing: 1, lent: 1 });
    expect(ends.map(({ end }) => end.kind)).toEqual(['cancelled']);
  });

  it('after its clip was complete leaves nothing to be told', async () => {
    const { video, worker } = setup();
    const reader = video.read(new AbortController().signal)[Symbol.asyncIterator]();
    video.speech(1, second());
    await settle();
    video.end(1);
    worker.last.give();
    await worker.last.finish();
    await settle();
    video.cancel(1);
    video.speech(2, second());
    await settle();
    expect((await reader.next()).value).toMatchObject({ turn: 2 });
  });
});

describe('a reply with a body of its own', () => {
  /** An engine whose bodies are made when a test says so. */
  function reflective() {
    const wanted: { text: string; spoken: boolean; progress(done: number): void; give(body?: Body): void }[] = [];
    const bodies = Object.assign(new FakeBodies(), {
      own: (reply: ReplyWords, progress: (done: number) => void) =>
        new Promise<Body | undefined>((give) => {
          wanted.push({
            get text() {
              return reply.text();
            },
            get spoken() {
              return reply.spoken.aborted;
            },
            progress,
            give,
          });
        }),
    });
    const { worker, clips, clock } = setup();
    const engine = new VideoEngine({ worker, bodies, clips, rate: RATE, clock });
    const open = () => {
      const video = engine.open();
      return { video, told: listen(video) };
    };
    return { wanted, bodies, worker, clock, open, ...open() };
  }

  it('waits for it with all its speech, tells how far it is, and lets others go ahead', async () => {
    const { video, told, wanted, bodies, worker, clock, open } = reflective();
    const other = open();
    video.text(1, 'One ');
    video.speech(1, second());
    video.text(1, 'two.');
    video.speech(1, second());
    video.end(1);
    expect(wanted[0]).toMatchObject({ text: 'One two.', spoken: true });
    for (let i = 1; i <= 4; i++) {
      wanted[0]!.progress(i / 4);
      clock.advance(250);
    }
    other.video.speech(1, second());
    wanted[1]!.give();
    await settle();
    expect(worker.last.job.base).toBe('a body');
    other.video.cancel(1);
    wanted[0]!.give(bodies.body('its own'));
    await settle();
    expect(worker.last).toMatchObject({ heard: 2 * RATE, job: { base: 'its own' } });
    worker.last.give();
    await worker.last.finish();
    await settle();
    expect(told.events.slice(0, 3)).toEqual([
      { type: 'progress', turn: 1, stage: 'base', done: 0.25 },
      { type: 'progress', turn: 1, stage: 'base', done: 0.75 },
      { type: 'progress', turn: 1, stage: 'speaking' },
    ]);
    expect(told.events.at(-1)).toMatchObject({ type: 'done', seconds: 2 });
    expect(bodies.lent).toBe(0);
  });

  it('that is cut meanwhile tells nothing more and gives the body back', async () => {
    const { video, told, wanted, bodies, worker } = reflective();
    video.speech(1, second());
    video.cancel(1);
    wanted[0]!.progress(0.5);
    wanted[0]!.give(bodies.body('its own'));
    await settle();
    expect(told.events).toEqual([]);
    expect({ speaks: worker.speaks.length, lent: bodies.lent }).toEqual({ speaks: 0, lent: 0 });
  });
});

describe('what goes wrong', () => {
  it('is one message, once for a standing cause, and again after a success', async () => {
    const { video, worker, told } = setup();
    const reply = async (turn: number, outcome: 'crash' | 'done') => {
      video.speech(turn, second());
      video.end(turn);
      await settle();
      worker.last.give();
      await settle();
      if (outcome === 'crash') worker.last.fail(new VideoError('The video process ended. It is started again.'));
      else await worker.last.finish();
      await settle();
    };
    for (const outcome of ['crash', 'crash', 'done', 'crash'] as const) await reply(worker.speaks.length, outcome);
    const ends = told.events.filter(({ type }) => type === 'failed' || type === 'done');
    expect(brief(ends)).toEqual(['failed 0', 'done 2', 'failed 3']);
    expect(ends[0]).toMatchObject({ message: 'The video process ended. It is started again.' });
  });

  it('is no matter of the server, though it were in what counts the clips', async () => {
    const { worker, bodies, clips } = setup();
    const onEnd = () => {
      throw new Error('No such metric.');
    };
    const engine = new VideoEngine({ worker, bodies, clips, rate: RATE, clock: new HandClock(), onEnd });
    const video = engine.open();
    video.speech(1, second());
    await settle();
    video.cancel(1);
    video.speech(2, second());
    await settle();
    expect(worker.running).toBe(1);
  });

  it('does not show a user what was not written for users', async () => {
    const { video, worker, told } = setup();
    video.speech(1, second());
    await settle();
    worker.last.fail(new TypeError('x is not a function'));
    await settle();
    expect(told.events.at(-1)).toMatchObject({ type: 'failed' });
    expect(JSON.stringify(told.events)).not.toContain('x is not');
  });

  it('is noticed when a clip ends before its speech, or is empty', async () => {
    const { video, worker, told } = setup();
    video.speech(1, second());
    await settle();
    worker.last.give();
    await worker.last.finish();
    await settle();
    expect(told.events.at(-1)).toMatchObject({ type: 'failed', turn: 1 });
    video.speech(2, second());
    video.end(2);
    await settle();
    await worker.last.finish();
    await settle();
    expect(brief(told.events)).not.toContain('done 2');
  });

  it('includes a worker that hangs: after three times the speech and twenty seconds it is left', async () => {
    const { video, worker, told, clock, clips } = setup();
    worker.deaf = true;
    video.speech(1, second());
    video.end(1);
    await settle();
    clock.advance(22_999);
    await settle();
    expect(brief(told.events)).toEqual(['progress 1']);
    clock.advance(1);
    await settle();
    expect(told.events.at(-1)).toMatchObject({ type: 'failed', turn: 1 });
    expect(told.events.at(-1)).toHaveProperty('message', expect.stringContaining('took too long'));
    expect(worker.last.cancelled).toBe(true);
    clock.advance(5_000);
    await worker.last.finish();
    await settle();
    expect(clips.growing).toBe(0);
  });

  it('does not include a reply that pauses for long, such as one that uses a tool', async () => {
    const { video, worker, told, clock } = setup();
    video.speech(1, second());
    await settle();
    for (let i = 0; i < 10; i++) {
      clock.advance(30_000);
      await settle();
    }
    video.speech(1, second());
    video.end(1);
    await settle();
    worker.last.give();
    await worker.last.finish();
    await settle();
    expect(told.events.at(-1)).toMatchObject({ type: 'done' });
  });

  it('includes a worker that leaves speech lying, though more is to come', async () => {
    const { video, worker, told, clock } = setup();
    worker.lazy = true;
    video.speech(1, second());
    await settle();
    clock.advance(23_000);
    await settle();
    expect(told.events.at(-1)).toMatchObject({ type: 'failed' });
  });

  it('includes speech beyond three minutes that waits: that clip is given up, the others go on', async () => {
    const { video, told, worker, open, engine } = setup();
    worker.lazy = true;
    const other = open();
    video.speech(1, second());
    await settle();
    for (let i = 0; i < 200; i++) other.video.speech(1, second());
    await settle();
    expect(brief(other.told.events)).toEqual(['failed 1']);
    expect(engine.hasRoom(179 * RATE)).toBe(true);
    worker.last.give();
    await settle();
    expect(brief(told.events).at(-1)).toBe('bytes 1');
  });
});

describe('who listens', () => {
  it('late hears of a past reply only that its clip is complete', async () => {
    const { video, worker } = setup();
    const reader = video.read(new AbortController().signal)[Symbol.asyncIterator]();
    video.speech(1, second());
    video.end(1);
    await settle();
    worker.last.give();
    await worker.last.finish();
    await settle();
    video.speech(2, second());
    await settle();
    expect((await reader.next()).value).toMatchObject({ type: 'done', turn: 1 });
    expect((await reader.next()).value).toMatchObject({ type: 'progress', turn: 2 });
  });

  it('may change: the new reader gets no bytes of a clip whose beginning it missed, but what becomes of it', async () => {
    const { video, told, worker } = setup();
    video.speech(1, second());
    await settle();
    worker.last.give();
    await settle();
    const next = listen(video);
    video.end(1);
    worker.last.give();
    await worker.last.finish();
    await settle();
    expect(brief(told.events)).toEqual(['progress 1', 'clip 1', 'bytes 1']);
    expect(brief(next.events)).toEqual(['done 1']);
  });

  it('may take nothing: what waits for it is bounded', async () => {
    const { video, worker } = setup();
    const reader = video.read(new AbortController().signal)[Symbol.asyncIterator]();
    video.speech(1, second());
    await settle();
    for (let i = 0; i < 40; i++) {
      worker.last.give(1024 * 1024);
      await settle(1);
    }
    video.end(1);
    await worker.last.finish();
    await settle();
    const types: string[] = [];
    for (let i = 0; i < 3; i++) types.push(((await reader.next()).value as { type: string }).type);
    expect(types).toEqual(['progress', 'clip', 'done']);
  });

  it('hears nothing after the conversation or the engine is closed, and the worker is left', async () => {
    const { video, told, worker, engine, open } = setup();
    const other = open();
    video.speech(1, second());
    other.video.speech(1, second());
    await settle();
    video.close();
    video.speech(2, second());
    await settle();
    expect(worker.speaks.map(({ state }) => state)).toEqual(['over', 'running']);
    await engine[Symbol.asyncDispose]();
    other.video.speech(2, second());
    engine.open().speech(1, second());
    await settle();
    expect(worker.running).toBe(0);
    expect(worker.speaks.length).toBe(2);
    expect(brief(told.events)).toEqual(['progress 1']);
  });
});
