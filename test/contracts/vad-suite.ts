import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MIC_FRAME } from '../../src/protocol/pcm.ts';
import { Queue } from '../../src/server/async/queue.ts';
import type { VoiceDetector } from '../../src/server/engines/contracts.ts';
import { EngineError } from '../../src/server/engines/contracts.ts';
import { padded, synthesise } from '../fixtures/speech.ts';

/** Cuts 16 kHz samples into whole microphone frames. */
export function framesOf(samples: Float32Array): Float32Array[] {
  return Array.from({ length: Math.floor(samples.length / MIC_FRAME) }, (_, i) =>
    samples.slice(i * MIC_FRAME, (i + 1) * MIC_FRAME),
  );
}

/** The probabilities a detector gives for all of `frames`. */
export async function probabilities(vad: VoiceDetector, frames: readonly Float32Array[]): Promise<number[]> {
  const out: number[] = [];
  for await (const probability of vad.detect(stream(frames), new AbortController().signal)) out.push(probability);
  return out;
}

export async function* stream<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

const share = (values: readonly number[]) => values.filter((value) => value > 0.5).length / values.length;

/** What every VoiceDetector must do; `hears` is false for one that does not listen to the sound, such as a scripted one. */
export function vadSuite(name: string, open: () => Promise<VoiceDetector>, { hears = true } = {}): void {
  describe(`${name}, a VoiceDetector`, () => {
    let vad: VoiceDetector;
    let speech: Float32Array[];
    let silence: Float32Array[];
    beforeAll(async () => {
      vad = await open();
      speech = framesOf((await synthesise('Tell me a long story about the sea.')).samples);
      silence = speech.map(() => new Float32Array(MIC_FRAME));
    });
    afterAll(async () => {
      await vad[Symbol.asyncDispose]();
      await vad[Symbol.asyncDispose]();
    });

    it('gives one probability per frame', async () => {
      const given = await probabilities(vad, speech);
      expect(given).toHaveLength(speech.length);
      for (const probability of given) {
        expect(probability).toBeGreaterThanOrEqual(0);
        expect(probability).toBeLessThanOrEqual(1);
      }
    });

    it('answers each frame before it is given the next', async () => {
      const frames = new Queue<Float32Array>();
      const answers = vad.detect(frames, new AbortController().signal)[Symbol.asyncIterator]();
      for (const frame of speech.slice(0, 5)) {
        frames.push(frame);
        expect((await answers.next()).done).toBe(false);
      }
      frames.end();
      expect((await answers.next()).done).toBe(true);
    });

    it.runIf(hears)('tells speech from silence', async () => {
      expect(share(await probabilities(vad, silence))).toBe(0);
      expect(share(await probabilities(vad, speech))).toBeGreaterThan(0.7);
    });

    it.runIf(hears)('hears where speech begins and ends', async () => {
      const spoken = padded(await synthesise('Good morning to you.'), 960, 960);
      const given = await probabilities(vad, framesOf(spoken.samples));
      const first = given.findIndex((probability) => probability > 0.5);
      const last = given.findLastIndex((probability) => probability > 0.5);
      expect(first).toBeGreaterThanOrEqual(29);
      expect(first).toBeLessThan(40);
      expect(given.length - 1 - last).toBeGreaterThanOrEqual(20);
    });

    it.runIf(hears)('does not mix two microphones', async () => {
      const [alone, quiet] = [await probabilities(vad, speech), await probabilities(vad, silence)];
      const both = await Promise.all([probabilities(vad, speech), probabilities(vad, silence)]);
      for (const [i, probability] of both[0].entries()) expect(probability).toBeCloseTo(alone[i]!, 4);
      for (const [i, probability] of both[1].entries()) expect(probability).toBeCloseTo(quiet[i]!, 4);
    });

    it('ends without an error when aborted, even while it waits for a frame', async () => {
      const controller = new AbortController();
      const frames = new Queue<Float32Array>();
      const answers = vad.detect(frames, controller.signal)[Symbol.asyncIterator]();
      frames.push(speech[0]!);
      expect((await answers.next()).done).toBe(false);
      const waiting = answers.next();
      controller.abort();
      expect((await waiting).done).toBe(true);
      expect(await probabilities(vad, speech.slice(0, 3))).toHaveLength(3);
    });

    it('gives nothing when aborted from the start', async () => {
      for await (const _ of vad.detect(stream(speech), AbortSignal.abort())) expect.unreachable();
    });

    it.runIf(hears)('says what is wrong with a frame of another length', async () => {
      const call = probabilities(vad, [new Float32Array(480)]);
      await expect(call).rejects.toThrow(EngineError);
      await expect(call).rejects.toThrow('frames of 512 samples');
    });
  });
}
