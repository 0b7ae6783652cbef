import { MIC_FRAME, MIC_RATE } from '../protocol/pcm.ts';
import { parseConfig } from '../server/config.ts';
import { Listener } from '../server/conversation/listen.ts';
import type { VoiceDetector } from '../server/engines/contracts.ts';
import { create } from '../server/engines/silero-vad.ts';
import type { Utterance } from './speech-set.ts';

/** Silence before each utterance; not always a whole number of frames, so that onsets fall anywhere in one. */
const LEAD = 10 * MIC_FRAME;
const SHIFT = 147;

/**
 * From each utterance's onset until Silero has heard enough to believe it, in milliseconds of sound: what is left of a
 * barge-in when computing and sending take no time. An utterance that is never believed has no figure.
 */
export async function onsetLag(utterances: readonly Utterance[]): Promise<number[]> {
  await using vad = await create();
  const lags: number[] = [];
  for (const [i, { samples, onset }] of utterances.entries()) {
    const lead = LEAD + ((i * SHIFT) % MIC_FRAME);
    const frames = Math.ceil((lead + samples.length) / MIC_FRAME);
    const whole = new Float32Array(frames * MIC_FRAME);
    whole.set(samples, lead);
    const confirmed = await confirmedAfter(vad, whole);
    if (confirmed !== undefined) lags.push(((confirmed * MIC_FRAME - lead - onset) * 1000) / MIC_RATE);
  }
  return lags;
}

/** How many frames it takes until speech is believed; undefined when it never is. */
export async function confirmedAfter(vad: VoiceDetector, samples: Float32Array): Promise<number | undefined> {
  const over = new AbortController();
  const frames = Math.floor(samples.length / MIC_FRAME);
  const counted: VoiceDetector = {
    async *detect(input, signal) {
      let heard = 0;
      for await (const probability of vad.detect(input, signal)) {
        yield probability;
        if (++heard === frames) over.abort();
      }
    },
    async [Symbol.asyncDispose]() {},
  };
  const listener = new Listener(counted, parseConfig('').vad, over.signal);
  listener.hear(samples);
  let after: number | undefined;
  // One sound for each frame after the one that confirmed it.
  for await (const { type } of listener.sounds) {
    if (type === 'confirmed') after = 0;
    else if (type === 'speech' && after !== undefined) after++;
  }
  return after === undefined ? undefined : frames - after;
}
