/** When a pause counts as the end of a turn. */
export type EndpointSettings = {
  /** Silence after speech that ends the turn. */
  readonly endSilenceMs: number;
  /** Longest utterance; then the turn ends without a pause. */
  readonly maxSpeechMs: number;
};

/** What is known about the utterance while it is spoken. */
export type Evidence = {
  /** Silence so far; 0 while the user speaks. */
  readonly pauseMs: number;
  /** Length of the utterance so far, pauses included. */
  readonly utteranceMs: number;
  /** The user holds the talk button: silence then means nothing. */
  readonly held: boolean;
};

export type EndReason = 'pause' | 'released' | 'too_long';

/** Whether the user has finished, and why; undefined while they have not. */
export function endOfTurn(evidence: Evidence, settings: EndpointSettings): EndReason | undefined {
  if (evidence.utteranceMs >= settings.maxSpeechMs) return 'too_long';
  if (evidence.held) return undefined;
  return evidence.pauseMs >= settings.endSilenceMs ? 'pause' : undefined;
}
