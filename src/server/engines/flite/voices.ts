import { bend } from '../sound/bend.ts';
import { FLITE_RATE, type FliteSpeech, type Span } from './flite-instance.ts';

export type FliteVoice = {
  readonly id: string;
  /** Brings the voice to the common level, -18 dBFS while it speaks. */
  readonly gain: number;
};

/** The voices by the name a user chooses, best understood first. */
export const FLITE_VOICES: Record<string, FliteVoice> = {
  rms: { id: 'cmu_us_rms', gain: 1.23 },
  awb: { id: 'cmu_us_awb', gain: 1.08 },
  kal: { id: 'cmu_us_kal16', gain: 2.7 },
  slt: { id: 'cmu_us_slt', gain: 0.63 },
};

const ms = (value: number) => Math.round((value * FLITE_RATE) / 1000);
const LEAD = ms(20);
const FADE = ms(5);

/** Speech ready to play: silence around it trimmed to a natural pause, the voice at its level, no peak above 1. */
export function finish(
  speech: FliteSpeech,
  voice: FliteVoice,
  punctuation: string,
): { samples: Float32Array; tokens: (Span | undefined)[] } {
  const pause = /[.!?]/.test(punctuation) ? ms(120) : /[,;:]/.test(punctuation) ? ms(80) : ms(40);
  const from = Math.max(0, speech.voiced.start - LEAD);
  const to = Math.min(speech.samples.length, speech.voiced.end + pause);
  const samples = new Float32Array(Math.max(0, to - from));
  for (let i = 0; i < samples.length; i++) {
    const edge = Math.min(1, (i + 1) / FADE, (samples.length - i) / FADE);
    samples[i] = bend((speech.samples[from + i]! / 32768) * voice.gain) * edge;
  }
  const inside = (at: number) => Math.max(0, Math.min(samples.length, at - from));
  return {
    samples,
    tokens: speech.tokens.map((span) => span && { start: inside(span.start), end: inside(span.end) }),
  };
}
