import { describe, expect, it } from 'vitest';
import { create } from '../../src/server/engines/silero-vad.ts';
import { padded, synthesise } from '../fixtures/speech.ts';

describe('1: voice detection, silero', () => {
  it('finds the speech between two silences', async () => {
    await using vad = await create();
    const { samples } = padded(await synthesise('How much is seven times eight?'), 960, 960);
    async function* frames() {
      for (let at = 0; at + 512 <= samples.length; at += 512) yield samples.slice(at, at + 512);
    }
    const speaks: boolean[] = [];
    for await (const probability of vad.detect(frames(), new AbortController().signal)) speaks.push(probability > 0.5);
    expect(speaks.slice(0, 28).filter(Boolean)).toHaveLength(0);
    expect(speaks.slice(-20).filter(Boolean)).toHaveLength(0);
    const within = speaks.slice(32, -32);
    expect(within.filter(Boolean).length / within.length).toBeGreaterThan(0.8);
  });
});
