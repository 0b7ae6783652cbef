import { describe, expect, it } from 'vitest';
import { MIC_FRAME } from '../../../src/protocol/pcm.ts';
import { Listener, type Sound } from '../../../src/server/conversation/listen.ts';

const SETTINGS = { speechThreshold: 0.5, pauseThreshold: 0.35, confirmMs: 96, preRollMs: 64 };

/** What is made out of frames with these probabilities; each frame is filled with its number, from 1. */
async function heard(probabilities: readonly number[]): Promise<Sound[]> {
  const over = new AbortController();
  const vad = {
    async *detect(frames: AsyncIterable<Float32Array>) {
      let i = 0;
      for await (const _ of frames) {
        yield probabilities[i++]!;
        if (i === probabilities.length) over.abort();
      }
    },
    async [Symbol.asyncDispose]() {},
  };
  const listener = new Listener(vad, SETTINGS, over.signal);
  for (const i of probabilities.keys()) listener.hear(new Float32Array(MIC_FRAME).fill(i + 1));
  const sounds: Sound[] = [];
  for await (const sound of listener.sounds) sounds.push(sound);
  return sounds;
}

const types = (sounds: readonly Sound[]) => sounds.map(({ type }) => type);
/** The numbers of the frames that the utterance begins with. */
const confirmed = (sounds: readonly Sound[]) =>
  sounds.flatMap((sound) =>
    sound.type === 'confirmed' ? [...sound.samples.filter((_, i) => i % MIC_FRAME === 0)] : [],
  );

describe('a listener', () => {
  it('believes speech after three frames that are likely', async () => {
    expect(types(await heard([0, 0.6, 0.6]))).toEqual(['onset']);
    expect(types(await heard([0, 0.6, 0.6, 0.6]))).toEqual(['onset', 'confirmed']);
  });

  it('believes it after two when one of them is nearly certain, but never after one', async () => {
    expect(types(await heard([0, 0.6, 0.9]))).toEqual(['onset', 'confirmed']);
    expect(types(await heard([0, 0.9, 0.6]))).toEqual(['onset', 'confirmed']);
    expect(types(await heard([0, 1]))).toEqual(['onset']);
  });

  it('takes a single sharp noise for none', async () => {
    expect(types(await heard([0, 1, 0, 0, 0, 0]))).toEqual(['onset', 'false_onset']);
  });

  it('begins the utterance with the pre-roll before its onset, however long the onset is in doubt', async () => {
    expect(confirmed(await heard([0, 0, 0, 0, 0.6, 0.6, 0.6]))).toEqual([3, 4, 5, 6, 7]);
    expect(confirmed(await heard([0, 0, 0, 0, 0.6, 0, 0, 0.6, 0, 0.6]))).toEqual([3, 4, 5, 6, 7, 8, 9, 10]);
  });
});
