import type { Choice, Fit } from './fit.ts';
import type { Probe } from './machine.ts';
import { asrMs, firstPhraseMs, ttsMs } from './speed.ts';

/** How long from the end of speech to the first sound of the reply, as a range. */
export type Expected = {
  readonly voiceToVoiceMs: { readonly low: number; readonly high: number };
  /** What the estimate rests on, in one sentence. */
  readonly basis: string;
};

/** `turn.endSilenceMs` as it is set by default. */
const END_SILENCE_MS = 416;

/** An estimate from cores and card by the formulas of speed.ts; nothing of it was measured on this machine. */
export function expected({ asr, tts }: Choice, { llm }: Fit, probe: Probe): Expected {
  const parts = {
    asr: asrMs(asr.model?.stage === 'asr' ? asr.model : undefined, asr.device !== 'cpu', probe),
    llm: llm ? firstPhraseMs(llm.tokensPerSecond, llm.gpuLayers > 0) : 5,
    tts: ttsMs(tts.model?.stage === 'tts' ? tts.model.family : undefined, tts.device !== 'cpu', probe),
  };
  const work = parts.asr + parts.llm + parts.tts;
  const round = (ms: number) => Math.round(ms / 50) * 50;
  const rate = llm ? `, a language model at about ${llm.tokensPerSecond.toFixed(0)} tokens a second` : '';
  return {
    voiceToVoiceMs: { low: round(END_SILENCE_MS + work * 0.7), high: round(END_SILENCE_MS + work * 1.6) },
    basis: `expected, not measured here: ${END_SILENCE_MS} ms of silence, then 0.7 to 1.6 times ${round(parts.asr)} + ${round(parts.llm)} + ${round(parts.tts)} ms (text, first phrase, first sound)${rate}`,
  };
}
