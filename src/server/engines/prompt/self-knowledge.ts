import type { Situation } from '../contracts.ts';

/** What a model should know of the engines, should it be asked: one sentence, empty where none has a name. */
export function aboutEngines({ engines: { vad, asr, llm, tts } }: Situation): string {
  if ([vad, asr, llm, tts].every((name) => name === '')) return '';
  return `If you are asked what you run on: voice detection ${vad}, speech recognition ${asr}, language model ${llm}, voice ${tts}.`;
}

/**
 * The last reply's latency in milliseconds, where the user seems to ask for it. The figure differs in each turn: told each time,
 * it would make the model read the whole conversation anew.
 */
export const latencyAskedFor = ({ lastVoiceToVoiceMs }: Situation, asked: string): number | undefined =>
  lastVoiceToVoiceMs !== undefined && /fast|slow|quick|speed|latenc|delay|respon|how long|second/i.test(asked)
    ? Math.round(lastVoiceToVoiceMs)
    : undefined;
