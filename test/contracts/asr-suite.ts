import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Queue } from '../../src/server/async/queue.ts';
import type { SpeechRecognizer, Transcript } from '../../src/server/engines/contracts.ts';
import { padded, synthesise } from '../fixtures/speech.ts';

const RATE = 16_000;
const never = new AbortController().signal;

/** Everything a recogniser gives for `samples`, handed over in chunks of these lengths, over and over. */
export async function recognise(
  asr: SpeechRecognizer,
  samples: Float32Array,
  lengths: readonly number[] = [512],
): Promise<Transcript[]> {
  const transcripts: Transcript[] = [];
  for await (const transcript of asr.recognize(chunks(samples, lengths), never)) transcripts.push(transcript);
  return transcripts;
}

async function* chunks(samples: Float32Array, lengths: readonly number[]): AsyncGenerator<Float32Array> {
  for (let at = 0, i = 0; at < samples.length; i++) {
    const length = lengths[i % lengths.length]!;
    yield samples.slice(at, at + length);
    at += length;
  }
}

/** Speech as it comes from the microphone: 16 kHz, some silence around it. */
export const spoken = async (text: string, voice = 'rms'): Promise<Float32Array> =>
  padded(await synthesise(text, voice), 250, 250).samples;

/** Noise that is the same each time, -1 to 1 times `level`. */
export function noise(seconds: number, level: number): Float32Array {
  let state = 1;
  return Float32Array.from({ length: Math.round(seconds * RATE) }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
    return (state / 2 ** 31) * level;
  });
}

/** Partials, then one final; the final is returned. */
function finalOf(transcripts: readonly Transcript[]): Transcript {
  expect(transcripts.map(({ final }) => final)).toEqual([...transcripts.slice(1).map(() => false), true]);
  return transcripts.at(-1)!;
}

/** What every SpeechRecognizer must do; `hears` is false for one that does not listen to the sound, such as a scripted one. */
export function asrSuite(name: string, open: () => Promise<SpeechRecognizer>, { hears = true } = {}): void {
  describe(`${name}, a SpeechRecognizer`, () => {
    let asr: SpeechRecognizer;
    let time: Float32Array;
    let story: Float32Array;
    beforeAll(async () => {
      asr = await open();
      time = await spoken('what time is it');
      story = await spoken('tell me a long story');
    });
    afterAll(() => asr?.[Symbol.asyncDispose]());

    it('gives partial texts and then exactly one final one', async () => {
      const transcripts = await recognise(asr, story);
      const final = finalOf(transcripts);
      expect(final.text).not.toBe('');
      expect(transcripts.length).toBeGreaterThan(1);
    });

    it('gives one empty final text for no speech at all', async () => {
      const final = finalOf(await recognise(asr, new Float32Array(0)));
      if (hears) expect(final.text).toBe('');
    });

    it('takes chunks of any length, empty ones too, and reads the same', async () => {
      const lengths = [1, 0, 37, 4_000, 512, 0, 161];
      const texts: string[] = [];
      for (const cut of [[512], lengths, [story.length]]) texts.push(finalOf(await recognise(asr, story, cut)).text);
      if (hears) expect(new Set(texts).size).toBe(1);
    });

    it('takes samples that are no sound: too loud, infinite, not a number', async () => {
      const odd = noise(1, 30);
      for (let i = 0; i < odd.length; i += 100) odd[i] = [Number.NaN, Infinity, -Infinity][(i / 100) % 3]!;
      finalOf(await recognise(asr, odd));
      const final = finalOf(await recognise(asr, time));
      if (hears) expect(final.text).toBe('what time is it');
    });

    it('ends at once without a final text when aborted, and stays usable', async () => {
      const stop = new AbortController();
      const speech = new Queue<Float32Array>();
      speech.push(story.slice(0, 16_000));
      const transcripts: Transcript[] = [];
      const done = (async () => {
        for await (const transcript of asr.recognize(speech, stop.signal)) transcripts.push(transcript);
      })();
      await new Promise(setImmediate);
      stop.abort();
      await done;
      expect(transcripts.filter(({ final }) => final)).toEqual([]);
      finalOf(await recognise(asr, time));
    });

    it('gives nothing when it was aborted before it began', async () => {
      const transcripts: Transcript[] = [];
      for await (const one of asr.recognize(chunks(time, [512]), AbortSignal.abort())) transcripts.push(one);
      expect(transcripts).toEqual([]);
    });

    it('passes on what goes wrong with the speech, and stays usable', async () => {
      const broken = (async function* () {
        yield story.slice(0, 4_000);
        throw new Error('the microphone was unplugged');
      })();
      const reading = async () => {
        for await (const _ of asr.recognize(broken, never));
      };
      await expect(reading()).rejects.toThrow();
      finalOf(await recognise(asr, time));
    });

    it('does not mix utterances that are spoken at the same time', async () => {
      const all = await Promise.all([time, story, time, story, time, story].map((speech) => recognise(asr, speech)));
      const texts = all.map((transcripts) => finalOf(transcripts).text);
      if (hears) expect(new Set(texts)).toEqual(new Set(['what time is it', 'tell me a long story']));
    });

    it.runIf(hears)('reads the same whoever spoke before', async () => {
      const before = finalOf(await recognise(asr, story)).text;
      await recognise(asr, noise(4, 0.8));
      expect(finalOf(await recognise(asr, story)).text).toBe(before);
    });

    it.runIf(hears)('understands no words in long silence', async () => {
      expect(finalOf(await recognise(asr, new Float32Array(20 * RATE))).text).toBe('');
    });

    it.runIf(hears)('does not take noise for words that it understood', async () => {
      const { text, understood } = finalOf(await recognise(asr, noise(3, 0.2)));
      expect(text === '' || !understood).toBe(true);
    });
  });
}
