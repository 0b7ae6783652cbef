import { bend } from './bend.ts';

/** Below it (-48 dBFS) it is silence that a model puts around its speech. */
const SILENT = 0.004;
const LEAD_MS = 40;
const FADE_MS = 3;
const STEADY_HZ = 15;

/** Speech ready to be played; `skipped` samples of what was made come before it, and `voiced` is where it is no silence. */
export type FinishedSpeech = {
  readonly samples: Float32Array;
  readonly skipped: number;
  readonly voiced: { readonly start: number; readonly end: number };
};

/**
 * A stretch of speech from a model, ready to be played: without an offset, without what is no number, no peak above 1,
 * and of the silence around it 40 ms before and `pauseMs` after. Empty when nothing of it can be heard.
 */
export function finished(made: Float32Array, rate: number, pauseMs: number): FinishedSpeech {
  const clean = withoutOffset(made, rate);
  const from = clean.findIndex(audible);
  if (from < 0) return { samples: new Float32Array(0), skipped: 0, voiced: { start: 0, end: 0 } };
  const to = clean.findLastIndex(audible) + 1;
  const ms = (value: number) => Math.round((value * rate) / 1000);
  const skipped = Math.max(0, from - ms(LEAD_MS));
  const out = clean.slice(skipped, to + ms(pauseMs));
  const fade = ms(FADE_MS);
  for (let i = 0; i < out.length; i++) {
    out[i] = bend(out[i]!) * Math.min(1, (i + 1) / fade, (out.length - i) / fade);
  }
  return { samples: out, skipped, voiced: { start: from - skipped, end: to - skipped } };
}

/** Pieces of at most 80 ms, in playing order. */
export function* chunks(samples: Float32Array, rate: number): Generator<Float32Array, void, undefined> {
  const length = Math.round(rate * 0.08);
  for (let at = 0; at < samples.length; at += length) yield samples.slice(at, at + length);
}

const audible = (sample: number) => Math.abs(sample) > SILENT;

/** A first-order high-pass filter; what is no number counts as silence. */
function withoutOffset(samples: Float32Array, rate: number): Float32Array {
  const keep = 1 - (2 * Math.PI * STEADY_HZ) / rate;
  const out = new Float32Array(samples.length);
  const real = (at: number) => (Number.isFinite(samples[at]) ? samples[at]! : 0);
  for (let i = 1; i < samples.length; i++) out[i] = real(i) - real(i - 1) + keep * out[i - 1]!;
  return out;
}
