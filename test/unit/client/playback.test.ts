import { array, assert, constantFrom, integer, oneof, property, record } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Playback } from '../../../src/client/playback.ts';

const QUANTUM = 128;
const FADE = 240;

/** A device at 48 kHz that keeps all it was given. */
class Device {
  readonly playback: Playback;
  readonly heard: number[] = [];
  readonly ends: { turn: number; samples: number; flushed: boolean; at: number }[] = [];

  constructor(rate = 24_000, outputRate = 48_000) {
    this.playback = new Playback(rate, outputRate);
  }

  run(quanta: number): this {
    for (let i = 0; i < quanta; i++) {
      const out = new Float32Array(QUANTUM);
      const before = this.heard.length;
      this.playback.render(out);
      this.heard.push(...out);
      for (const end of this.playback.takeEnds()) this.ends.push({ ...end, at: before + end.at });
    }
    return this;
  }

  /** What the message handlers of the worklet see: ends that need no sound. */
  collect(): this {
    for (const end of this.playback.takeEnds()) this.ends.push({ ...end, at: this.heard.length + end.at });
    return this;
  }

  largestStep(): number {
    let largest = 0;
    for (let i = 1; i < this.heard.length; i++) {
      largest = Math.max(largest, Math.abs(this.heard[i]! - this.heard[i - 1]!));
    }
    return largest;
  }
}

const tone = (samples: number, from = 0, hz = 200, rate = 24_000) =>
  Float32Array.from({ length: samples }, (_, i) => 0.8 * Math.sin((2 * Math.PI * hz * (i + from)) / rate));

/** The steepest step of the tone itself at 48 kHz, and of a full-scale fade on top of it. */
const SMOOTH = 0.8 * ((2 * Math.PI * 200) / 48_000) + 1 / FADE + 0.002;

describe('one turn', () => {
  test('is played whole, counted exactly, and ends once', () => {
    const device = new Device();
    for (let at = 0; at < 24_000; at += 480) device.playback.push(1, at, tone(480, at));
    device.playback.end(1);
    device.run(500);
    expect(device.ends).toEqual([{ turn: 1, samples: 24_000, flushed: false, at: 48_000 }]);
    expect(device.playback.underruns).toBe(0);
    expect(device.largestStep()).toBeLessThan(SMOOTH);
  });

  test('waits for the jitter buffer, unless it is shorter than that', () => {
    const device = new Device();
    device.playback.push(1, 0, tone(1200));
    expect(device.run(20).heard.every((x) => x === 0)).toBe(true);
    device.playback.push(1, 1200, tone(1200, 1200));
    expect(device.run(1).heard.some((x) => x !== 0)).toBe(true);

    const short = new Device();
    short.playback.push(1, 0, tone(600));
    short.playback.end(1);
    short.run(20);
    expect(short.ends).toEqual([{ turn: 1, samples: 600, flushed: false, at: 1200 }]);
  });

  test('that has no speech ends at once with nothing played', () => {
    const device = new Device();
    device.playback.end(3);
    expect(device.collect().ends).toEqual([{ turn: 3, samples: 0, flushed: false, at: 0 }]);
  });

  test('that begins late, after a lost connection, counts from where it begins', () => {
    const device = new Device();
    device.playback.push(4, 10_000, tone(4800));
    device.playback.end(4);
    device.run(100);
    expect(device.ends).toMatchObject([{ turn: 4, samples: 14_800 }]);
  });

  test('passes over a gap and drops what it already has', () => {
    const device = new Device();
    device.playback.push(1, 0, tone(4800));
    device.playback.push(1, 2400, tone(2400));
    device.playback.push(1, 9600, tone(4800));
    device.playback.end(1);
    device.run(200);
    expect(device.ends).toEqual([{ turn: 1, samples: 14_400, flushed: false, at: 19_200 }]);
    expect(device.largestStep()).toBeLessThan(SMOOTH);
  });
});

describe('an underrun', () => {
  test('fades, is counted, and asks for more buffer next time', () => {
    const device = new Device();
    device.playback.push(1, 0, tone(2400));
    device.run(100);
    expect(device.playback.underruns).toBe(1);
    expect(device.playback.startMs).toBeGreaterThan(70);
    expect(device.ends).toEqual([]);
    device.playback.push(1, 2400, tone(4800, 2400));
    device.playback.end(1);
    device.run(100);
    expect(device.ends).toMatchObject([{ turn: 1, samples: 7200 }]);
    expect(device.largestStep()).toBeLessThan(SMOOTH);
  });

  test('never makes the buffer longer than 160 ms', () => {
    const device = new Device();
    for (let i = 0; i < 20; i++) {
      device.playback.push(1, i * 9600, tone(9600, i * 9600));
      device.run(200);
    }
    expect(device.playback.underruns).toBe(20);
    expect(device.playback.startMs).toBe(160);
  });

  test('is forgotten slowly', () => {
    const device = new Device();
    device.playback.push(1, 0, tone(2400));
    device.run(100);
    const grown = device.playback.startMs;
    device.playback.push(1, 2400, tone(24_000 * 11, 2400));
    device.run(4000);
    expect(device.playback.startMs).toBeLessThan(grown);
  });
});

describe('a flush', () => {
  test('is silent after 5 ms and reports exactly what was put out', () => {
    const device = new Device();
    device.playback.push(1, 0, tone(24_000));
    device.run(100);
    const before = device.playback.position.samples;
    device.playback.flush(1);
    device.run(20);
    const silentFrom = 100 * QUANTUM + FADE;
    expect(device.ends).toEqual([{ turn: 1, samples: before + FADE / 2, flushed: true, at: silentFrom }]);
    expect(device.heard.slice(silentFrom).every((x) => x === 0)).toBe(true);
    expect(device.heard.slice(silentFrom - QUANTUM, silentFrom).some((x) => x !== 0)).toBe(true);
    expect(device.largestStep()).toBeLessThan(SMOOTH);
  });

  test('before the first sample counts none, and a second one says nothing more', () => {
    const device = new Device();
    device.playback.flush(2);
    device.playback.flush(2);
    device.playback.push(2, 0, tone(9600));
    device.playback.push(1, 0, tone(9600));
    device.run(50);
    expect(device.ends).toEqual([{ turn: 2, samples: 0, flushed: true, at: 0 }]);
    expect(device.heard.every((x) => x === 0)).toBe(true);
  });

  test('twice in a row does not make the fade longer', () => {
    const device = new Device();
    device.playback.push(1, 0, tone(24_000));
    device.run(100);
    device.playback.flush(1);
    device.run(1);
    device.playback.flush(1);
    device.run(20);
    expect(device.ends).toMatchObject([{ turn: 1, at: 100 * QUANTUM + FADE }]);
  });

  test('during an underrun and after the end of speech reports at once', () => {
    const dry = new Device();
    dry.playback.push(1, 0, tone(2400));
    dry.run(100);
    const { samples } = dry.playback.position;
    dry.playback.flush(1);
    expect(dry.collect().ends).toMatchObject([{ turn: 1, samples, flushed: true }]);

    const done = new Device();
    done.playback.push(1, 0, tone(24_000));
    done.playback.end(1);
    done.run(50);
    done.playback.flush(1);
    done.run(10);
    expect(done.ends).toMatchObject([{ turn: 1, flushed: true }]);
    expect(done.ends[0]!.samples).toBeLessThan(24_000);
  });

  test('between turns leaves the next one alone', () => {
    const device = new Device();
    device.playback.push(1, 0, tone(2400));
    device.playback.end(1);
    device.run(60);
    device.playback.flush(1);
    device.playback.push(2, 0, tone(4800));
    device.playback.end(2);
    device.run(100);
    expect(device.ends).toMatchObject([
      { turn: 1, samples: 2400, flushed: false },
      { turn: 2, samples: 4800, flushed: false },
    ]);
  });

  test('of a turn that waits behind another silences both', () => {
    const device = new Device();
    device.playback.push(1, 0, tone(9600));
    device.playback.push(2, 0, tone(9600));
    device.run(10);
    device.playback.flush(2);
    device.run(10);
    expect(device.ends).toMatchObject([
      { turn: 1, flushed: true },
      { turn: 2, samples: 0, flushed: true },
    ]);
    expect(device.heard.slice(10 * QUANTUM + FADE).every((x) => x === 0)).toBe(true);
  });
});

const event = oneof(
  { weight: 6, arbitrary: record({ do: constantFrom('push' as const), size: integer({ min: 1, max: 3000 }) }) },
  { weight: 6, arbitrary: record({ do: constantFrom('run' as const), size: integer({ min: 1, max: 60 }) }) },
  {
    weight: 1,
    arbitrary: record({ do: constantFrom('end' as const, 'flush' as const), size: integer({ min: 0, max: 2 }) }),
  },
);

test.each([
  [24_000, 48_000],
  [22_050, 44_100],
  [16_000, 44_100],
  [48_000, 48_000],
])(
  'from %d to %d Hz, whatever the order of events: no click, counts exact, every turn ends once',
  (rate, outputRate) => {
    assert(
      property(array(event, { maxLength: 60 }), (events) => {
        const device = new Device(rate, outputRate);
        const sent = new Map<number, number>();
        const closed = new Map<number, 'end' | 'flush'>();
        let turn = 1;
        let counted = { turn: 0, samples: 0 };
        for (const step of events) {
          if (step.do === 'push') {
            const at = sent.get(turn) ?? 0;
            device.playback.push(turn, at, tone(step.size, at, 200, rate));
            sent.set(turn, at + step.size);
          } else if (step.do === 'run') {
            device.run(step.size);
            const now = device.playback.position;
            expect(now.turn).toBeGreaterThanOrEqual(counted.turn);
            if (now.turn === counted.turn) expect(now.samples).toBeGreaterThanOrEqual(counted.samples);
            expect(now.samples).toBeLessThanOrEqual(sent.get(now.turn) ?? 0);
            counted = now;
          } else {
            device.playback[step.do](turn);
            closed.set(turn, step.do);
            turn++;
          }
        }
        device.playback.end(turn);
        closed.set(turn, 'end');
        const total = [...sent.values()].reduce((sum, n) => sum + n, 0);
        device.run(Math.ceil((total * outputRate) / rate / QUANTUM) + 60);

        expect(device.ends.map((end) => end.turn)).toEqual([...closed.keys()]);
        for (const end of device.ends) {
          if (!end.flushed) expect(end.samples).toBe(sent.get(end.turn) ?? 0);
          else expect(end.samples).toBeLessThanOrEqual(sent.get(end.turn) ?? 0);
          if (closed.get(end.turn) === 'end' && turn === end.turn) expect(end.flushed).toBe(false);
        }
        const steepest = 0.8 * ((2 * Math.PI * 200) / outputRate) + 1 / Math.round(0.005 * outputRate) + 0.01;
        expect(device.largestStep()).toBeLessThan(steepest);
        expect(device.heard.at(-1)).toBe(0);
      }),
      { numRuns: 60 },
    );
  },
);
