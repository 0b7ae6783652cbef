import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ReplyWord } from '../../src/protocol/messages.ts';
import { joinedSamples } from '../../src/protocol/pcm.ts';
import { EngineError, type SpeechSynthesizer } from '../../src/server/engines/contracts.ts';

const usual = { name: '', speed: 1 };

/** All that a synthesiser says for a phrase. */
export async function say(tts: SpeechSynthesizer, phrase: string, voice = tts.voices[0]!, speed = 1) {
  const chunks: Float32Array[] = [];
  const words: ReplyWord[] = [];
  for await (const { samples, words: begun = [] } of tts.speak(
    phrase,
    { name: voice, speed },
    new AbortController().signal,
  )) {
    const before = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    for (const word of begun) {
      expect(word.start).toBeGreaterThanOrEqual(before);
      expect(word.start).toBeLessThan(before + samples.length);
    }
    chunks.push(samples);
    words.push(...begun);
  }
  return { samples: joinedSamples(chunks), words, chunks };
}

/** The power of the difference against that of `b`: about 2 for unrelated speech; the hiss in a voice may differ. */
function difference(a: Float32Array, b: Float32Array): number {
  let [apart, power] = [0, 0];
  for (const [i, sample] of b.entries()) {
    apart += (a[i]! - sample) ** 2;
    power += sample ** 2;
  }
  return apart / power;
}

const SENTENCE = 'The old man walked slowly down the street, with his dog.';
const ODD = [
  '!!!',
  '😀 well 你好',
  'naïve café, Zürich — "quoted" (so to speak)…',
  '<b>&amp;</b> \u0000 \ud800 \t ok',
  'a'.repeat(2_000),
  '12345678901234567890.5%',
  '7'.repeat(2_000),
  "''' ``` *** ___",
  '__proto__ constructor toString',
];

export type TtsSuiteOptions = {
  /** False for one that does not say where its words lie. */
  readonly words?: boolean;
  /** False for one whose sound is not speech, such as a scripted one. */
  readonly speaks?: boolean;
};

/** What every SpeechSynthesizer must do. */
export function ttsSuite(name: string, open: () => Promise<SpeechSynthesizer>, options: TtsSuiteOptions = {}): void {
  const { words: hasWords = true, speaks = true } = options;
  describe(`${name}, a SpeechSynthesizer`, () => {
    let tts: SpeechSynthesizer;
    beforeAll(async () => {
      tts = await open();
    });
    afterAll(async () => {
      await tts[Symbol.asyncDispose]();
      await tts[Symbol.asyncDispose]();
    });

    it('has a rate and at least one voice', () => {
      expect(tts.rate).toBeGreaterThanOrEqual(8_000);
      expect(tts.voices.length).toBeGreaterThan(0);
      expect(new Set(tts.voices).size).toBe(tts.voices.length);
    });

    it('speaks audibly, unclipped, with every voice', async () => {
      for (const voice of tts.voices) {
        const { samples } = await say(tts, SENTENCE, voice);
        expect(samples.length).toBeGreaterThan(tts.rate / 2);
        expect(samples.every(Number.isFinite)).toBe(true);
        const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
        expect(peak).toBeGreaterThan(0.02);
        expect(peak).toBeLessThan(1);
      }
    });

    it('gives the sound in pieces, so that whoever listens can stop', async () => {
      const { chunks } = await say(tts, SENTENCE);
      expect(chunks.length).toBeGreaterThan(3);
      for (const chunk of chunks) {
        expect(chunk.length).toBeGreaterThan(0);
        expect(chunk.length).toBeLessThanOrEqual(tts.rate / 5);
      }
    });

    it('takes longer for more', async () => {
      const short = await say(tts, 'Good morning.');
      const long = await say(tts, 'Good morning, I hope that you slept well and had a good breakfast.');
      expect(long.samples.length).toBeGreaterThan(short.samples.length * 1.5);
    });

    it('speaks faster or slower, as each call asks', async () => {
      const length = async (speed: number) => (await say(tts, SENTENCE, tts.voices[0], speed)).samples.length;
      const usual = await length(1);
      expect((await length(2)) / usual).toBeLessThan(0.7);
      expect((await length(0.5)) / usual).toBeGreaterThan(1.6);
      expect(await length(1)).toBe(usual);
    });

    it('refuses a speed that nobody understands', async () => {
      for (const speed of [0, 5, Number.NaN]) {
        await expect(say(tts, 'Hello.', tts.voices[0], speed)).rejects.toThrow('from 0.5 to 2');
      }
    });

    it('takes the first voice for no name', async () => {
      expect((await say(tts, 'Hello.', '')).samples.length).toBe((await say(tts, 'Hello.')).samples.length);
    });

    it.runIf(hasWords)('says where every word lies, in order and inside the sound', async () => {
      const phrase = 'It is 3:30 now, Dr. Smith; that costs $5. "Really?" Yes!';
      const { samples, words } = await say(tts, phrase);
      expect(words.map((word) => word.text)).toEqual(phrase.split(' '));
      let before = 0;
      for (const { start, end } of words) {
        expect(start).toBeGreaterThanOrEqual(before);
        expect(end).toBeGreaterThan(start);
        expect(end).toBeLessThanOrEqual(samples.length);
        before = end;
      }
    });

    it('says nothing for nothing', async () => {
      for (const phrase of ['', '   ', '\n']) expect((await say(tts, phrase)).samples).toHaveLength(0);
    });

    it('ends promptly when aborted, and stays usable', async () => {
      const controller = new AbortController();
      let chunks = 0;
      for await (const _ of tts.speak(SENTENCE.repeat(20), usual, controller.signal)) {
        chunks++;
        controller.abort();
      }
      expect(chunks).toBe(1);
      for await (const _ of tts.speak(SENTENCE, usual, AbortSignal.abort())) expect.unreachable();
      expect((await say(tts, SENTENCE)).samples.length).toBeGreaterThan(0);
    });

    it('stays usable when its listener leaves', async () => {
      for await (const _ of tts.speak(SENTENCE, usual, new AbortController().signal)) break;
      expect((await say(tts, SENTENCE)).samples.length).toBeGreaterThan(0);
    });

    it.runIf(speaks)('does not mix two phrases spoken at once', async () => {
      const [first, second] = [`${SENTENCE} Then he sat down.`, 'She sells sea shells. They are nice.'];
      const alone = [await say(tts, first), await say(tts, second, tts.voices.at(-1))];
      const both = await Promise.all([say(tts, first), say(tts, second, tts.voices.at(-1))]);
      for (const [i, { samples, words }] of both.entries()) {
        expect(words).toEqual(alone[i]!.words);
        expect(samples.length).toBe(alone[i]!.samples.length);
        expect(difference(samples, alone[i]!.samples)).toBeLessThan(0.5);
      }
    });

    it('takes odd text without failing', async () => {
      for (const phrase of ODD) {
        const { samples } = await say(tts, phrase);
        expect(samples.every(Number.isFinite)).toBe(true);
      }
      expect((await say(tts, SENTENCE)).samples.length).toBeGreaterThan(0);
    });

    it('takes a very long phrase', async () => {
      const { samples, words } = await say(tts, 'and then '.repeat(300));
      expect(samples.length).toBeGreaterThan(tts.rate * 30);
      if (hasWords) expect(words).toHaveLength(600);
    });

    it('names the voices there are when asked for another', async () => {
      const call = say(tts, 'Hello.', 'nobody');
      await expect(call).rejects.toThrow(EngineError);
      await expect(call).rejects.toThrow(tts.voices.join(', '));
    });
  });
}
