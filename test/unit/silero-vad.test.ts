import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readAudioFile } from '../../src/bench/audio-files.ts';
import type { VoiceDetector } from '../../src/server/engines/contracts.ts';
import { loadSilero, newMemory } from '../../src/server/engines/silero-model.ts';
import { create } from '../../src/server/engines/silero-vad.ts';
import { framesOf, probabilities, stream } from '../contracts/vad-suite.ts';
import { synthesise } from '../fixtures/speech.ts';

const DATA = resolve('../shared/data');
const JFK = `${DATA}/speech/jfk/jfk.wav`;
const NOISE = `${DATA}/noise/speechbrain-noise/noise2.wav`;
const MISSING = 'needs the recordings of ../shared/data';

let vad: VoiceDetector;
let speech: Float32Array[];
beforeAll(async () => {
  vad = await create();
  speech = framesOf((await synthesise('One two three, this is a test of many microphones.')).samples);
});
afterAll(() => vad[Symbol.asyncDispose]());

it('gives the same probabilities in a batch as one by one', async () => {
  const model = await loadSilero('v6', 'auto');
  const starts = [0, 7, 13, 29, 41];
  const together = starts.map(newMemory);
  const alone = starts.map(newMemory);
  for (let i = 0; i < 30; i++) {
    const frames = starts.map((start) => speech[start + i]!);
    const batch = await model.run(frames.map((frame, k) => ({ memory: together[k]!, frame })));
    for (const [k, frame] of frames.entries()) {
      const [single] = await model.run([{ memory: alone[k]!, frame }]);
      expect(batch[k]).toBeCloseTo(single!, 4);
    }
  }
  await model.release();
});

it('serves more microphones than fit one run, all of them and in order', async () => {
  const small = await create({ maxBatch: 4 });
  const expected = await probabilities(vad, speech);
  const done: number[] = [];
  const all = await Promise.all(
    Array.from({ length: 19 }, async (_, i) => {
      const given: number[] = [];
      for await (const probability of small.detect(stream(speech), new AbortController().signal)) {
        given.push(probability);
        done[i] = given.length;
        // Nobody gets far ahead of anybody: those who waited longest go first.
        expect(Math.max(...done) - Math.min(...Array.from({ length: 19 }, (_, k) => done[k] ?? 0))).toBeLessThanOrEqual(
          2,
        );
      }
      return given;
    }),
  );
  for (const given of all) {
    expect(given).toHaveLength(expected.length);
    for (const [i, probability] of given.entries()) expect(probability).toBeCloseTo(expected[i]!, 4);
  }
  await small[Symbol.asyncDispose]();
});

it('forgets a microphone that is aborted while others go on', async () => {
  const controller = new AbortController();
  let heard = 0;
  const aborted = (async () => {
    for await (const _ of vad.detect(stream(speech), controller.signal)) if (++heard === 10) controller.abort();
  })();
  const [given] = await Promise.all([probabilities(vad, speech), aborted]);
  expect(heard).toBe(10);
  expect(given).toHaveLength(speech.length);
});

it('tells its source that it stopped listening', async () => {
  let closed = false;
  async function* microphone() {
    try {
      yield* speech;
    } finally {
      closed = true;
    }
  }
  const controller = new AbortController();
  for await (const _ of vad.detect(microphone(), controller.signal)) controller.abort();
  expect(closed).toBe(true);
});

it('says that it is closed', async () => {
  const other = await create();
  await other[Symbol.asyncDispose]();
  await expect(probabilities(other, speech)).rejects.toThrow('closed');
});

it('passes on what its source throws', async () => {
  async function* broken(): AsyncGenerator<Float32Array> {
    yield speech[0]!;
    throw new Error('unplugged');
  }
  const listen = async () => {
    for await (const _ of vad.detect(broken(), new AbortController().signal));
  };
  await expect(listen()).rejects.toThrow('unplugged');
});

it.runIf(existsSync(JFK))(`hears a real voice (${MISSING})`, async () => {
  const given = await probabilities(vad, framesOf(readAudioFile(JFK)));
  expect(given.filter((probability) => probability > 0.5).length / given.length).toBeGreaterThan(0.6);
});

it.runIf(existsSync(NOISE))(`takes real noise for what it is (${MISSING})`, async () => {
  const given = await probabilities(vad, framesOf(readAudioFile(NOISE)));
  expect(given.filter((probability) => probability > 0.5)).toHaveLength(0);
});
