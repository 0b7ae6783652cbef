import { describe, expect, it } from 'vitest';
import { decodeClipPiece } from '../../../src/protocol/frames.ts';
import type { ServerMessage } from '../../../src/protocol/messages.ts';
import { Queue } from '../../../src/server/async/queue.ts';
import type { SessionEvent } from '../../../src/server/conversation/session-event.ts';
import { createLogger } from '../../../src/server/log.ts';
import { Metrics } from '../../../src/server/metrics.ts';
import type { ClipEvent, ReplyVideo } from '../../../src/server/video/contracts.ts';
import { VideoLink } from '../../../src/server/video-link.ts';

/** Writes down what it is told, and tells what a test wants. */
class FakeVideo implements ReplyVideo {
  readonly calls: unknown[][] = [];
  readonly events = new Queue<ClipEvent>();
  broken = false;

  text = (...args: unknown[]) => this.#note('text', ...args);
  speech = (turn: number, samples: Float32Array) => this.#note('speech', turn, samples.length);
  end = (...args: unknown[]) => this.#note('end', ...args);
  cancel = (...args: unknown[]) => this.#note('cancel', ...args);
  close = () => this.#note('close');
  read = () => this.events;

  #note(...call: unknown[]): void {
    this.calls.push(call);
    if (this.broken) throw new TypeError('broken');
  }
}

function setUp({ pieces = true, up = true } = {}) {
  const video = new FakeVideo();
  const tier = { avatar: undefined, talking: [] as boolean[], up };
  const told: ServerMessage[] = [];
  const sent: Uint8Array[] = [];
  const log: string[] = [];
  const link = new VideoLink({
    tier: {
      avatar: undefined,
      open: () => (tier.up ? video : undefined),
      talks: (talking) => void tier.talking.push(talking),
    },
    session: 's',
    metrics: new Metrics({ sessions: () => 0, backlog: () => ({ waiting: 0, dropped: 0 }), engines: () => [] }).ofClips,
    log: createLogger('debug', (line) => log.push(line)),
    pieces,
    socket: { bufferedAmount: 0, send: (message) => void sent.push(new Uint8Array(message)) },
    send: (message) => void told.push(message),
  });
  const speech = (turn: number, position: number, length = 10): SessionEvent => ({
    type: 'speech',
    turn,
    position,
    samples: new Float32Array(length),
  });
  /** Lets everything that waits happen: no part of a link waits for more than a promise. */
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return { video, tier, told, sent, log, link, speech, settled };
}

const begun = (turn: number): ClipEvent => ({
  type: 'clip',
  turn,
  clip: `c${turn}`,
  mime: 'video/mp4',
  width: 2,
  height: 2,
});
const bytes = (turn: number, length: number): ClipEvent => ({ type: 'bytes', turn, bytes: new Uint8Array(length) });
const done = (turn: number, length: number): ClipEvent => ({
  type: 'done',
  turn,
  clip: `c${turn}`,
  bytes: length,
  seconds: 1,
});

describe('a link between a connection and the video tier', () => {
  it('hands on what a reply says, its speech from the beginning, and its end', () => {
    const { link, video, speech } = setUp();
    link.take({ type: 'reply_text', turn: 1, text: 'Hello.' });
    link.take(speech(1, 0));
    link.take(speech(1, 10, 5));
    link.take({ type: 'reply_done', turn: 1, samples: 15 });
    expect(video.calls).toEqual([
      ['text', 1, 'Hello.'],
      ['speech', 1, 10],
      ['speech', 1, 5],
      ['end', 1],
    ]);
  });

  it('makes nothing of a reply whose beginning went by before the tier was up', () => {
    const { link, video, speech, tier } = setUp({ up: false });
    link.take(speech(1, 0));
    tier.up = true;
    link.take(speech(1, 10));
    link.take({ type: 'reply_done', turn: 1, samples: 20 });
    link.take(speech(2, 0));
    expect(video.calls).toEqual([['speech', 2, 10]]);
  });

  it('tells the clip and sends its bytes, and says last that it is complete', async () => {
    const { link, video, speech, told, sent, settled } = setUp();
    link.take(speech(1, 0));
    video.events.push({ type: 'progress', turn: 1, stage: 'speaking' });
    video.events.push(begun(1));
    video.events.push(bytes(1, 40_000));
    video.events.push(done(1, 40_000));
    await settled();
    expect(told).toEqual([
      { type: 'clip_progress', turn: 1, stage: 'speaking' },
      {
        type: 'speaking_clip',
        turn: 1,
        clip: 'c1',
        url: '/clips/c1.mp4',
        mime: 'video/mp4',
        width: 2,
        height: 2,
        fps: 25,
      },
    ]);
    link.received(1, 32_768);
    expect(sent.map((message) => decodeClipPiece(message)!.last)).toEqual([false, false, true]);
    expect(told.at(-1)).toEqual({
      type: 'clip_done',
      turn: 1,
      clip: 'c1',
      bytes: 40_000,
      seconds: 1,
      url: '/clips/c1.mp4',
    });
  });

  it('tells addresses only to whoever did not ask for pieces', async () => {
    const { link, video, speech, told, sent, settled } = setUp({ pieces: false });
    link.take(speech(1, 0));
    for (const event of [begun(1), bytes(1, 40_000), done(1, 40_000)]) video.events.push(event);
    await settled();
    expect(told.map(({ type }) => type)).toEqual(['speaking_clip', 'clip_done']);
    expect(sent).toEqual([]);
  });

  it.each([
    { type: 'flush', turn: 1 },
    { type: 'cut', turn: 1, heard: '', unheard: '' },
  ] as const)('stops at once on $type, whatever still comes', async (cut) => {
    const { link, video, speech, told, sent, settled } = setUp();
    link.take(speech(1, 0));
    video.events.push(begun(1));
    video.events.push(bytes(1, 100_000));
    await settled();
    const [messages, pieces] = [told.length, sent.length];
    link.take(cut);
    expect(video.calls.at(-1)).toEqual(['cancel', 1]);
    link.received(1, 32_768);
    for (const event of [bytes(1, 10), done(1, 100_010)]) video.events.push(event);
    await settled();
    expect([told.length, sent.length]).toEqual([messages, pieces]);
  });

  it('gives up a reply that failed before it was heard, and lets one go on that is being heard', () => {
    const { link, video, speech } = setUp();
    const error = { type: 'error', code: 'engine_failed', message: '' } as const;
    link.take({ type: 'reply_text', turn: 1, text: 'a' });
    link.take({ ...error, turn: 1 });
    expect(video.calls.at(-1)).toEqual(['cancel', 1]);
    link.take(speech(2, 0));
    link.take({ ...error, turn: 2 });
    link.take({ type: 'reply_done', turn: 2, samples: 10 });
    expect(video.calls.slice(2)).toEqual([
      ['speech', 2, 10],
      ['end', 2],
    ]);
  });

  it('says what failed, once, as an error of the video tier', async () => {
    const { link, video, speech, told, settled } = setUp();
    link.take(speech(1, 0));
    video.events.push({ type: 'failed', turn: 1, message: 'No encoder.' });
    await settled();
    expect(told).toEqual([{ type: 'error', code: 'video_failed', stage: 'video', message: 'No encoder.', turn: 1 }]);
  });

  it('says when somebody talks, and that nobody does any more when it is closed', () => {
    const { link, tier, video, speech } = setUp();
    link.take({ type: 'state', state: 'hearing', turn: 1 });
    link.take({ type: 'state', state: 'listening', turn: 1 });
    link.take({ type: 'state', state: 'speaking', turn: 1 });
    link.take(speech(1, 0));
    link.close();
    link.close();
    expect(tier.talking).toEqual([true, false, true, false]);
    expect(video.calls.filter(([name]) => name === 'close')).toHaveLength(1);
  });

  it('never throws: a tier that does is off for this connection, and the log says so once', async () => {
    const { link, video, speech, log, tier } = setUp();
    video.broken = true;
    link.take(speech(1, 0));
    link.take(speech(1, 10));
    link.take({ type: 'flush', turn: 1 });
    link.received(1, 5);
    link.tick();
    link.drained();
    link.close();
    expect(video.calls.filter(([name]) => name === 'speech')).toHaveLength(1);
    expect(log).toHaveLength(1);
    expect(tier.talking.at(-1)).toBe(false);
  });

  it('is off as well when what it reads breaks', async () => {
    const { link, video, speech, log, settled } = setUp();
    link.take(speech(1, 0));
    video.events.fail(new TypeError('broken'));
    await settled();
    expect(log).toHaveLength(1);
    link.take(speech(2, 0));
    expect(video.calls).toEqual([['speech', 1, 10], ['close']]);
  });
});
