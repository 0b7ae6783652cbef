import { describe, expect, it } from 'vitest';
import { joinedSamples, MIC_FRAME } from '../../src/protocol/pcm.ts';
import { abortable } from '../../src/server/async/abortable.ts';
import { Queue } from '../../src/server/async/queue.ts';
import type { ReplyDelta, Transcript } from '../../src/server/engines/contracts.ts';
import { pitchOf } from '../../src/server/engines/scripted/tones.ts';
import { createAsr, createLlm, createTts, createVad } from '../../src/server/engines/scripted.ts';
import { replyOf, request, user } from '../contracts/llm-suite.ts';

const never = () => new AbortController().signal;

async function* stream<T>(items: readonly T[]) {
  yield* items;
}

async function listOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe('the scripted recogniser', () => {
  const speech = (ms: number) => stream(Array.from({ length: ms / 50 }, () => new Float32Array(800)));

  it('understands its texts in turn, growing by a word as the sound comes', async () => {
    const asr = await createAsr({ texts: ['what time is it', '', '?'], wordMs: 100 });
    const texts = async () =>
      (await listOf(asr.recognize(speech(300), never()))).map(({ text, final, understood }) => [
        text,
        final,
        understood,
      ]);
    expect(await texts()).toEqual([
      ['what', false, true],
      ['what time', false, true],
      ['what time is', false, true],
      ['what time is it', true, true],
    ]);
    expect(await texts()).toEqual([['', true, true]]);
    expect(await texts()).toEqual([['', true, false]]);
    expect((await texts()).at(-1)).toEqual(['what time is it', true, true]);
  });

  it('ends at once when it is aborted, also while it waits for sound or delays its answer', async () => {
    const asr = await createAsr({ texts: ['hello'], delayMs: 1_000_000 });
    for (const sound of [new Queue<Float32Array>(), speech(100)]) {
      const abort = new AbortController();
      const transcripts: Transcript[] = [];
      const reading = (async () => {
        for await (const transcript of asr.recognize(sound, abort.signal)) transcripts.push(transcript);
      })();
      setImmediate(() => abort.abort());
      await reading;
      expect(transcripts.filter(({ final }) => final)).toEqual([]);
    }
  });
});

describe('the scripted detector', () => {
  it('takes for speech what is louder than its threshold', async () => {
    const vad = await createVad({ threshold: 0.1 });
    const loud = (level: number) => new Float32Array(MIC_FRAME).fill(level);
    const [silence, quiet, even, speech] = await listOf(vad.detect(stream([0, 0.02, 0.1, 0.5].map(loud)), never()));
    expect(silence).toBe(0);
    expect(quiet).toBeLessThan(0.1);
    expect(even).toBeCloseTo(0.5);
    expect(speech).toBeGreaterThan(0.9);
  });
});

describe('the scripted chat model', () => {
  it('says its replies in turn, token by token, and can echo', async () => {
    const llm = await createLlm({ replies: ['One two. ', 'You said: {said}.'] });
    expect(await listOf(llm.reply(request(user('a $& b')), never()))).toEqual(['One', ' two.', ' ']);
    expect(await replyOf(llm, request(user('a $& b')))).toBe('You said: a $& b.');
    expect(await replyOf(llm, request())).toBe('One two. ');
  });

  it('calls tools after what it says, and says their result', async () => {
    const llm = await createLlm({ replies: ['Wait. {tool:time {"place":"Rome"}}{tool:timer}', 'So: {result}'] });
    const never = new AbortController().signal;
    expect(await listOf(llm.reply(request(), never))).toEqual([
      'Wait.',
      ' ',
      { id: expect.any(String), name: 'time', args: { place: 'Rome' } },
      { id: expect.any(String), name: 'timer', args: {} },
    ]);
    const results = [{ role: 'tool', content: 'Noon.', callId: 'x' }] as const;
    expect((await listOf(llm.reply(request(...results), never))).join('')).toBe('So: Noon.');
  });

  it('stops waiting when it is aborted', async () => {
    const llm = await createLlm({ replies: ['One two'], firstTokenMs: 1_000_000 });
    const abort = new AbortController();
    const reply = replyOf(llm, request(), abort.signal);
    abort.abort();
    expect(await reply).toBe('');
  });
});

describe('the scripted voice', () => {
  /** The pitch by counting where the wave crosses zero upwards. */
  const pitch = (samples: Float32Array, rate: number) => {
    const ups: number[] = [];
    for (let i = 1; i < samples.length; i++) if (samples[i - 1]! <= 0 && samples[i]! > 0) ups.push(i);
    return ((ups.length - 1) * rate) / (ups.at(-1)! - ups[0]!);
  };
  const voiced = async (settings: Parameters<typeof createTts>[0], voice = '', speed = 1) => {
    const tts = await createTts(settings);
    const pieces = await listOf(tts.speak('one three, seventeen', { name: voice, speed }, never()));
    const samples = joinedSamples(pieces.map((piece) => piece.samples));
    const words = pieces.flatMap((piece) => piece.words ?? []);
    return {
      samples,
      words,
      pitches: words.map(({ start, end }) => pitch(samples.subarray(start, end), tts.rate)),
      pieces,
    };
  };

  it('gives each word its own pitch, as long as its letters, exactly where it says', async () => {
    const { words, pitches, samples, pieces } = await voiced({ rate: 16_000, pitch: 400 });
    expect(words.map(({ text }) => text)).toEqual(['one', 'three,', 'seventeen']);
    for (const [i, heard] of pitches.entries()) expect(Math.abs(heard - pitchOf(i, 400))).toBeLessThan(4);
    expect(words.map(({ start, end }) => (end - start) / 16)).toEqual([180, 300, 420]);
    for (const [i, word] of words.slice(1).entries()) {
      expect(samples.subarray(words[i]!.end, word.start).every((sample) => sample === 0)).toBe(true);
    }
    for (const piece of pieces.slice(0, -1)) expect(piece.samples.length).toBe(1280);
  });

  it('can be told apart by session, and speaks at another speed', async () => {
    const normal = await voiced({});
    const own = await voiced({}, 'tone-700', 2);
    expect(Math.abs(own.pitches[0]! - 700)).toBeLessThan(7);
    expect(own.samples.length / normal.samples.length).toBeCloseTo(0.5, 2);
  });
});

describe('a scripted engine goes wrong on the call it was told to', () => {
  it('with an error, and works again after', async () => {
    const llm = await createLlm({ replies: ['a b c'], failOnCall: 2, failAfter: 1 });
    expect(await replyOf(llm, request())).toBe('a b c');
    const tokens: ReplyDelta[] = [];
    const failing = (async () => {
      for await (const token of llm.reply(request(), never())) tokens.push(token);
    })();
    await expect(failing).rejects.toMatchObject({
      name: 'EngineError',
      stage: 'llm',
      message: /told to fail on call 2/,
    });
    expect(tokens).toEqual(['a']);
    expect(await replyOf(llm, request())).toBe('a b c');
  });

  it('of every kind', async () => {
    const fails = { failOnCall: 1 };
    const frames = stream([new Float32Array(MIC_FRAME)]);
    await expect(listOf((await createVad(fails)).detect(frames, never()))).rejects.toMatchObject({ stage: 'vad' });
    const asr = await createAsr({ ...fails, texts: ['hi'] });
    await expect(listOf(asr.recognize(stream([]), never()))).rejects.toMatchObject({ stage: 'asr' });
    await expect(listOf((await createTts(fails)).speak('hi', { name: '', speed: 1 }, never()))).rejects.toMatchObject({
      stage: 'tts',
    });
  });

  it('by hanging whatever its signal says', async () => {
    const llm = await createLlm({ replies: ['a'], failOnCall: 1, failure: 'hang' });
    const abort = new AbortController();
    const hanging = llm.reply(request(), abort.signal)[Symbol.asyncIterator]();
    const next = hanging.next().then(() => 'ended');
    abort.abort();
    const later = new Promise((resolve) => setImmediate(() => setImmediate(resolve, 'still hanging')));
    expect(await Promise.race([next, later])).toBe('still hanging');
    // This is what `abortable` is for.
    expect(await listOf(abortable(llm.reply(request(), abort.signal), abort.signal))).toEqual([]);
  });
});
