import { describe, expect, it } from 'vitest';
import { create } from '../../src/server/engines/flite-tts.ts';

describe('4: speech synthesis, flite', () => {
  it('speaks with every voice, at a fitting length and level', async () => {
    await using tts = await create();
    for (const voice of tts.voices) {
      let length = 0;
      let power = 0;
      const words: string[] = [];
      for await (const pcm of tts.speak(
        'Seven times eight is fifty-six.',
        { name: voice, speed: 1 },
        new AbortController().signal,
      )) {
        length += pcm.samples.length;
        for (const sample of pcm.samples) power += sample * sample;
        words.push(...(pcm.words ?? []).map(({ text }) => text));
      }
      const seconds = length / tts.rate;
      expect(seconds, voice).toBeGreaterThan(1.2);
      expect(seconds, voice).toBeLessThan(4);
      expect(Math.sqrt(power / length), voice).toBeGreaterThan(0.02);
      expect(words, voice).toEqual(['Seven', 'times', 'eight', 'is', 'fifty-six.']);
    }
  });
});
