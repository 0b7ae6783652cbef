import type {
  ChatModel,
  ChatRequest,
  ReplyDelta,
  SpeakingVoice,
  SpeechRecognizer,
  SpeechSynthesizer,
  SpokenPcm,
  Transcript,
  VoiceDetector,
} from '../engines/contracts.ts';
import type { EngineProcess } from './engine-process.ts';
import type { Worker } from './worker.ts';

/** What runs calls: a supervised process, or one worker of it while it is tried out. */
export type Caller = Pick<Worker, 'call' | 'facts'> | EngineProcess;

const close = (caller: Caller) => async () => {
  if (Symbol.asyncDispose in caller) await caller[Symbol.asyncDispose]();
};

/** A voice detector that runs elsewhere. */
export const remoteVad = (caller: Caller): VoiceDetector => ({
  detect: (frames: AsyncIterable<Float32Array>, signal: AbortSignal) =>
    caller.call('detect', [], frames, signal, { resultPerItem: true }) as AsyncIterable<number>,
  [Symbol.asyncDispose]: close(caller),
});

/** A speech recogniser that runs elsewhere. */
export const remoteAsr = (caller: Caller): SpeechRecognizer => ({
  recognize: (speech: AsyncIterable<Float32Array>, signal: AbortSignal) =>
    caller.call('recognize', [], speech, signal) as AsyncIterable<Transcript>,
  [Symbol.asyncDispose]: close(caller),
});

/** A chat model that runs elsewhere. */
export const remoteLlm = (caller: Caller): ChatModel => ({
  reply: (request: ChatRequest, signal: AbortSignal) =>
    caller.call('reply', [request], undefined, signal) as AsyncIterable<ReplyDelta>,
  [Symbol.asyncDispose]: close(caller),
});

/** A speech synthesiser that runs elsewhere. */
export const remoteTts = (caller: Caller): SpeechSynthesizer => ({
  get rate() {
    return Number(caller.facts.rate);
  },
  get voices() {
    return (caller.facts.voices ?? []) as readonly string[];
  },
  speak: (phrase: string, voice: SpeakingVoice, signal: AbortSignal) =>
    caller.call('speak', [phrase, voice], undefined, signal) as AsyncIterable<SpokenPcm>,
  [Symbol.asyncDispose]: close(caller),
});
