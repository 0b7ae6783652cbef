import { describe, expect, it } from 'vitest';
import { Queue } from '../../src/server/async/queue.ts';
import type { Transcript } from '../../src/server/engines/contracts.ts';
import { joinedText } from '../../src/server/engines/redecode/joined-text.ts';
import { Redecoder } from '../../src/server/engines/redecode/redecoder.ts';
import { sounds } from '../fixtures/sounds.ts';

const RATE = 16_000;
const never = new AbortController().signal;

/** A recogniser whose text is the length it was given in tenths of a second; each decode waits until it is let go. */
function slow(maxSeconds = 30) {
  const waiting: { samples: number; done: () => void }[] = [];
  const decode = (samples: Float32Array) =>
    new Promise<string>((resolve) => {
      const done = () => resolve(`${Math.round((samples.length * 10) / RATE)}`);
      waiting.push({ samples: samples.length, done });
    });
  const redecoder = new Redecoder({ decode, maxSeconds, now: () => 0 });
  /** Lets the next decode go, once it was asked for. */
  const letGo = async () => {
    while (waiting.length === 0) await new Promise(setImmediate);
    waiting.shift()!.done();
    for (let i = 0; i < 5; i++) await new Promise(setImmediate);
  };
  return { redecoder, waiting, letGo };
}

/** The same, at once; by its clock, each decode takes `ms`. */
function quick(maxSeconds = 30, takesMs = 0) {
  const asked: number[] = [];
  let clock = 0;
  const decode = async (samples: Float32Array) => {
    asked.push(Math.round((samples.length * 10) / RATE));
    clock += takesMs;
    return `${asked.at(-1)}`;
  };
  return { redecoder: new Redecoder({ decode, maxSeconds, now: () => clock }), asked };
}

async function all(redecoder: Redecoder, speech: AsyncIterable<Float32Array>, signal = never): Promise<Transcript[]> {
  const got: Transcript[] = [];
  for await (const transcript of redecoder.recognize(speech, signal)) got.push(transcript);
  return got;
}

/** Each chunk once all that the one before it led to has happened. */
async function* calmly(samples: Float32Array, length = 1600): AsyncGenerator<Float32Array> {
  for (let at = 0; at < samples.length; at += length) {
    yield samples.slice(at, at + length);
    for (let i = 0; i < 5; i++) await new Promise(setImmediate);
  }
}

describe('decoding a growing utterance again and again', () => {
  it('gives longer and longer partial texts and ends with that of the whole', async () => {
    const { redecoder } = quick();
    const transcripts = await all(redecoder, calmly(sounds([0.5, 2])));
    const lengths = transcripts.map(({ text }) => Number(text));
    expect(lengths.length).toBeGreaterThan(3);
    expect(lengths).toEqual([...lengths].sort((a, b) => a - b));
    expect(transcripts.at(-1)).toEqual({ text: '20', final: true, understood: true });
  });

  it('decodes less often the longer it takes, and only once when it takes very long', async () => {
    const count = async (takesMs: number) => {
      const { redecoder, asked } = quick(30, takesMs);
      await all(redecoder, calmly(sounds([0.5, 6])));
      return asked.length;
    };
    const [fast, slower] = [await count(50), await count(500)];
    expect(fast).toBeGreaterThan(2 * slower);
    expect(slower).toBeGreaterThan(2);
    const { redecoder, asked } = quick(30, 2_000);
    await redecoder.warmUp();
    await all(redecoder, calmly(sounds([0.5, 6])));
    expect(asked.slice(2)).toEqual([60]);
  });

  it('takes the text of the pause for the final one when nothing but quiet followed', async () => {
    const { redecoder, asked } = quick();
    const [last] = (await all(redecoder, calmly(sounds([0, 0.3], [0.5, 1], [0, 0.6])))).slice(-1);
    expect(last!.final).toBe(true);
    expect(Number(last!.text)).toBeLessThan(19);
    expect(Number(last!.text)).toBeGreaterThan(13);
    expect(asked).not.toContain(19);
  });

  it.each([
    ['silence', sounds([0, 0.3], [0.5, 0.8], [0, 0.4], [0.5, 0.1])],
    ['a faint sound', sounds([0, 0.3], [0.5, 0.8], [0, 0.3], [0.03, 0.15])],
  ])('decodes once more when something was said after %s', async (_, speech) => {
    const { redecoder, asked } = quick();
    const [last] = (await all(redecoder, calmly(speech))).slice(-1);
    expect(Number(last!.text)).toBe(Math.round((speech.length * 10) / RATE));
    expect(asked.at(-1)).toBe(Number(last!.text));
  });

  it('never keeps the final text waiting for more than the decode that runs', async () => {
    const { redecoder, waiting, letGo } = slow();
    const speech = new Queue<Float32Array>();
    const done = all(redecoder, speech);
    for await (const chunk of calmly(sounds([0.5, 3]))) speech.push(chunk);
    expect(waiting).toHaveLength(1);
    speech.end();
    await letGo();
    expect(waiting.map(({ samples }) => samples)).toEqual([3 * RATE]);
    await letGo();
    expect((await done).at(-1)).toEqual({ text: '30', final: true, understood: true });
  });

  it('lets final texts go before the partial ones of others', async () => {
    const { redecoder, waiting, letGo } = slow();
    const [talking, alsoTalking, finished] = [new Queue<Float32Array>(), new Queue<Float32Array>(), sounds([0.5, 0.3])];
    void all(redecoder, talking);
    const second = all(redecoder, alsoTalking);
    for await (const chunk of calmly(sounds([0.5, 1]))) for (const one of [talking, alsoTalking]) one.push(chunk);
    const third = all(redecoder, calmly(finished));
    for (let i = 0; i < 50; i++) await new Promise(setImmediate);
    expect(waiting).toHaveLength(1);
    await letGo();
    expect(waiting[0]!.samples).toBe(finished.length);
    await letGo();
    expect((await third).at(-1)!.text).toBe('3');
    alsoTalking.end();
    while (waiting.length > 0) await letGo();
    expect((await second).at(-1)!.text).toBe('10');
  });

  it('cuts what is too long where it is quiet, and puts the texts together', async () => {
    const { redecoder, asked } = quick(4);
    const speech = sounds([0.5, 2.5], [0, 0.4], [0.5, 3], [0, 0.4], [0.5, 1]);
    const [last] = (await all(redecoder, calmly(speech))).slice(-1);
    const texts = last!.text.split(' ').map(Number);
    expect(texts).toHaveLength(3);
    expect(Math.abs(texts.reduce((sum, one) => sum + one) - 73)).toBeLessThan(2);
    expect(texts[0]).toBeGreaterThanOrEqual(25);
    expect(texts[0]).toBeLessThanOrEqual(29);
    expect(Math.max(...asked)).toBeLessThanOrEqual(40);
  });

  it('passes on what goes wrong with a decode', async () => {
    const decode = async () => {
      throw new Error('out of memory');
    };
    const redecoder = new Redecoder({ decode, maxSeconds: 30 });
    await expect(all(redecoder, calmly(sounds([0.5, 2])))).rejects.toThrow('out of memory');
    await expect(all(redecoder, calmly(sounds([0.5, 0.2])))).rejects.toThrow('out of memory');
  });

  it('skips the turn of one that was aborted while it waited, and is idle when the running one is done', async () => {
    const { redecoder, waiting, letGo } = slow();
    const [first, second] = [all(redecoder, calmly(sounds([0.5, 0.3]))), new AbortController()];
    while (waiting.length === 0) await new Promise(setImmediate);
    const left = all(redecoder, calmly(sounds([0.5, 0.2])), second.signal);
    for (let i = 0; i < 50; i++) await new Promise(setImmediate);
    second.abort();
    expect(await left).toEqual([]);
    let idle = false;
    const waited = redecoder.idle().then(() => (idle = true));
    for (let i = 0; i < 10; i++) await new Promise(setImmediate);
    expect(idle).toBe(false);
    await letGo();
    await Promise.all([first, waited]);
    expect(waiting).toEqual([]);
  });
});

describe('two texts as one', () => {
  it.each([
    ['hello', 'there', 'hello there'],
    ['', 'there', 'there'],
    ['hello', '', 'hello'],
    ['你好。', '世界', '你好。世界'],
    ['你好', 'hello', '你好 hello'],
  ])('%j and %j are %j', (before, after, both) => {
    expect(joinedText(before, after)).toBe(both);
  });
});
