import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ClipEvent, ReplyVideo } from '../../../src/server/video/contracts.ts';
import { VideoError } from '../../../src/server/video/contracts.ts';
import { type ClipFacts, VideoEngine } from '../../../src/server/video/video-engine.ts';
import { FakeBodies, FakeClips, type FakeSpeak, FakeWorker, HandClock, listen, settle } from '../../fixtures/video.ts';

const RATE = 10;

/** One thing that happens: in one of three conversations, at the worker, or that time goes by. */
type Step =
  | { do: 'speech'; who: number; turn: number; seconds: number }
  | { do: 'text' | 'end' | 'cancel'; who: number; turn: number }
  | { do: 'listen' | 'close'; who: number }
  | { do: 'give' | 'finish' | 'fail' | 'deaf' | 'lazy' | 'body' }
  | { do: 'time'; ms: number };

const who = fc.integer({ min: 0, max: 2 });
const turn = fc.integer({ min: 0, max: 6 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('speech'), who, turn, seconds: fc.integer({ min: 0, max: 70 }) }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom('text', 'end', 'cancel'), who, turn }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('listen', 'close'), who }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('give', 'finish', 'fail', 'deaf', 'lazy', 'body') }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('time'), ms: fc.integer({ min: 0, max: 40_000 }) }) },
) as fc.Arbitrary<Step>;

type Seen = { readonly conversation: number; readonly event: ClipEvent; readonly afterCancel: boolean };

class World {
  readonly worker = new FakeWorker();
  readonly bodies = new FakeBodies();
  readonly clips = new FakeClips();
  readonly clock = new HandClock();
  readonly ends: ClipFacts[] = [];
  readonly seen: Seen[] = [];
  /** Turns that were cut, as `conversation turn`. */
  readonly cut = new Set<string>();
  readonly engine: VideoEngine;
  readonly videos: ReplyVideo[];
  /** Calls that have been left by their signal, and when. */
  readonly leftSince = new Map<FakeSpeak, number>();

  constructor(reflective: boolean) {
    this.worker.writes = false;
    const bodies = reflective
      ? Object.assign(this.bodies, {
          own: async (_: unknown, __: unknown, signal: AbortSignal) => {
            await settle(1);
            return signal.aborted ? undefined : this.bodies.body('its own');
          },
        })
      : this.bodies;
    const { worker, clips, clock } = this;
    this.engine = new VideoEngine({
      worker,
      bodies,
      clips,
      clock,
      rate: RATE,
      onEnd: (facts) => this.ends.push(facts),
    });
    this.videos = [0, 1, 2].map(() => this.engine.open());
    for (const conversation of [0, 1, 2]) this.listen(conversation);
  }

  listen(conversation: number): void {
    const told = listen(this.videos[conversation]!);
    const push = told.events.push.bind(told.events);
    told.events.push = (event: ClipEvent) => {
      this.seen.push({ conversation, event, afterCancel: this.cut.has(`${conversation} ${event.turn}`) });
      return push(event);
    };
  }

  async run(one: Step): Promise<void> {
    const { worker } = this;
    switch (one.do) {
      case 'speech':
        this.videos[one.who]!.speech(one.turn, new Float32Array(one.seconds * RATE));
        break;
      case 'text':
        this.videos[one.who]!.text(one.turn, 'said');
        break;
      case 'end':
        this.videos[one.who]!.end(one.turn);
        break;
      case 'cancel':
        this.videos[one.who]!.cancel(one.turn);
        this.cut.add(`${one.who} ${one.turn}`);
        break;
      case 'listen':
        this.listen(one.who);
        break;
      case 'close':
        this.videos[one.who]!.close();
        for (let turn = 0; turn <= 6; turn++) this.cut.add(`${one.who} ${turn}`);
        break;
      case 'give':
        for (const speak of worker.speaks) speak.give(7);
        break;
      case 'finish':
        await worker.speaks.at(-1)?.finish();
        break;
      case 'fail':
        worker.speaks.at(-1)?.fail(new VideoError('The worker failed.'));
        break;
      case 'deaf':
        worker.deaf = !worker.deaf;
        break;
      case 'lazy':
        worker.lazy = !worker.lazy;
        break;
      case 'body':
        if (this.bodies.isReady) this.bodies.isReady = false;
        else this.bodies.isReady = true;
        break;
      case 'time':
        this.clock.advance(one.ms);
    }
    await settle(2);
    this.check();
  }

  check(): void {
    const { worker, clock, engine } = this;
    for (const speak of worker.speaks) {
      if (speak.state === 'running' && speak.cancelled && !this.leftSince.has(speak))
        this.leftSince.set(speak, clock.now());
    }
    // One that was cancelled may still be running, but only if it is deaf.
    const wanted = worker.speaks.filter(({ state, cancelled }) => state === 'running' && !cancelled);
    expect(wanted.length).toBeLessThanOrEqual(1);
    if (wanted.length === 1) {
      const others = worker.speaks.filter((one) => one.state === 'running' && one !== wanted[0]);
      for (const other of others) expect(clock.now() - this.leftSince.get(other)!).toBeGreaterThanOrEqual(5_000);
    }
    expect(engine.hasRoom(0)).toBe(true);
    expect(this.clips.growing).toBeLessThanOrEqual(1 + this.leftSince.size);
  }

  /** Ends everything, and lets the worker end what it was deaf to. */
  async close(): Promise<void> {
    const disposed = this.engine[Symbol.asyncDispose]();
    for (let i = 0; i < 3; i++) {
      await settle(2);
      this.clock.advance(5_000);
    }
    await disposed;
    for (const speak of this.worker.speaks) await speak.finish();
    if (!this.bodies.isReady) this.bodies.prepare();
    await settle();
  }
}

const isEnd = ({ type }: ClipEvent) => type === 'done' || type === 'failed';

describe('whatever happens in whatever order', { timeout: 60_000 }, () => {
  it.each([false, true])('clips are made one at a time and told of in order (reflective: %s)', async (reflective) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const world = new World(reflective);
        for (const one of steps) await world.run(one);
        await world.close();

        expect(world.seen.filter(({ afterCancel }) => afterCancel)).toEqual([]);
        for (const conversation of [0, 1, 2]) {
          const events = world.seen.filter((seen) => seen.conversation === conversation).map(({ event }) => event);
          // Of an older turn at most that its clip is complete is told once a newer one is told of.
          let newest = -1;
          for (const event of events) {
            if (event.type !== 'done') expect(event.turn).toBeGreaterThanOrEqual(newest);
            newest = Math.max(newest, event.turn);
          }
          for (const turn of new Set(events.map((event) => event.turn))) {
            const told = events.filter((event) => event.turn === turn);
            expect(told.filter(isEnd).length).toBeLessThanOrEqual(1);
            const end = told.findIndex(isEnd);
            if (end >= 0) expect(end).toBe(told.length - 1);
            const clip = told.findIndex(({ type }) => type === 'clip');
            const bytes = told.findIndex(({ type }) => type === 'bytes');
            if (bytes >= 0) expect(clip).toBeGreaterThanOrEqual(0);
            if (bytes >= 0) expect(clip).toBeLessThan(bytes);
            expect(told.filter(({ type }) => type === 'clip').length).toBeLessThanOrEqual(1);
          }
        }
        expect(world.bodies.lent).toBe(0);
        expect(world.clips.growing).toBe(0);
        expect(world.ends.length).toBeLessThanOrEqual(steps.filter((one) => one.do === 'speech').length);
      }),
      { numRuns: 500 },
    );
  });

  it('every reply that has been spoken gets its clip once the worker does its work', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
        const world = new World(false);
        for (const one of steps) await world.run(one);
        world.worker.deaf = false;
        world.worker.lazy = false;
        world.bodies.isReady = true;
        world.bodies.prepare();
        const video = world.engine.open();
        const told = listen(video);
        video.speech(1, new Float32Array(1));
        video.end(1);
        for (const one of world.videos) for (let turn = 0; turn <= 6; turn++) one.end(turn);
        for (let i = 0; i < 8; i++) {
          for (const speak of world.worker.speaks) {
            speak.give();
            await speak.finish();
          }
          await settle(2);
          world.clock.advance(60_000);
          await settle(2);
        }
        // Only speech beyond all bounds is not taken, and that is said.
        expect(told.events.filter(isEnd).length).toBe(1);
        await world.close();
      }),
      { numRuns: 200 },
    );
  });
});
