import type { TurnMetrics } from '../protocol/messages.ts';

/** A part of the time between the user's last sound and the first of the reply. */
export type LatencyPart = {
  readonly key: 'pause' | 'asr' | 'llm' | 'phrase' | 'tts';
  readonly name: string;
  readonly ms: number;
};

/** The parts of a turn's waiting time that were measured, in the order they happened. */
export function latencyParts(metrics: TurnMetrics): LatencyPart[] {
  const parts = [
    { key: 'pause', name: 'pause', ms: metrics.endpointMs },
    { key: 'asr', name: 'recognition', ms: metrics.asrMs },
    { key: 'llm', name: 'language model', ms: metrics.llmMs },
    { key: 'phrase', name: 'phrase', ms: metrics.phraseMs },
    { key: 'tts', name: 'synthesis', ms: metrics.ttsMs },
  ] as const;
  return parts.flatMap((part) => (part.ms === undefined ? [] : [{ ...part, ms: Math.max(0, part.ms) }]));
}

/** A duration for the eye: `84 ms`, `1.2 s`. */
export function formatMs(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
}
