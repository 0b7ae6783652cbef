import type { Stage } from '../contracts.ts';

/** What a server is asked for, in the words of its messages. */
export type Service = {
  readonly stage: Stage;
  readonly name: string;
  /** What the address below `/v1` gives. */
  readonly offers: string;
  /** Settings that a refused request may come from. */
  readonly check: string;
  /** Of an address in an example. */
  readonly port: number;
};

/** `/v1/chat/completions`. */
export const CHAT: Service = {
  stage: 'llm',
  name: 'language model server',
  offers: 'chat completions',
  check: 'llm.model and llm.maxTokens',
  port: 11434,
};

/** `/v1/audio/transcriptions`. */
export const TRANSCRIPTION: Service = {
  stage: 'asr',
  name: 'speech recognition server',
  offers: 'transcriptions',
  check: 'asr.model and language',
  port: 8001,
};

/** `/v1/audio/speech`. */
export const SPEECH: Service = {
  stage: 'tts',
  name: 'speech synthesis server',
  offers: 'speech',
  check: 'tts.model, tts.voice and tts.speed',
  port: 8880,
};
