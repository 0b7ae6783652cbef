import type { ReplyWord } from '../../protocol/messages.ts';

export type Stage = 'vad' | 'asr' | 'llm' | 'tts';

/** Finds speech in microphone audio. */
export interface VoiceDetector extends AsyncDisposable {
  /**
   * For each frame of 512 samples (16 kHz mono, -1 to 1) the probability, 0 to 1, that it is speech, in order.
   * One call per microphone: its state lives as long as the iteration.
   */
  detect(frames: AsyncIterable<Float32Array>, signal: AbortSignal): AsyncIterable<number>;
}

export type Transcript = {
  readonly text: string;
  /** Set on the last one, which comes when the speech has ended; those before it may still change. */
  readonly final: boolean;
  /** False when speech was heard that the recogniser cannot put into words; `text` is then its best guess, or empty. */
  readonly understood: boolean;
};

/** Turns one utterance into text while it is spoken. */
export interface SpeechRecognizer extends AsyncDisposable {
  /** Partial transcripts of `speech` (16 kHz mono, -1 to 1, chunks of any length), then exactly one final one. */
  recognize(speech: AsyncIterable<Float32Array>, signal: AbortSignal): AsyncIterable<Transcript>;
}

export type ChatMessage = {
  readonly role: 'system' | 'user' | 'assistant';
  /** For a reply that was cut: only what the user heard of it. */
  readonly content: string;
  /** The user cut this reply short. */
  readonly cut?: boolean;
};

/** What the assistant may be asked about itself. */
export type Situation = {
  /** One description per stage, such as `pocketsphinx (en-us)`. */
  readonly engines: Readonly<Record<Stage, string>>;
  /** End of the user's speech to the first audio of the last reply, in milliseconds. */
  readonly lastVoiceToVoiceMs?: number;
};

export type ChatRequest = { readonly messages: readonly ChatMessage[]; readonly situation: Situation };

/** Writes the reply. */
export interface ChatModel extends AsyncDisposable {
  /** The reply's text, token by token. */
  reply(request: ChatRequest, signal: AbortSignal): AsyncIterable<string>;
}

/** A piece of speech; `words` are those that begin in it, their positions counted from the start of the phrase. */
export type SpokenPcm = { readonly samples: Float32Array; readonly words?: readonly ReplyWord[] };

/** Speaks the reply. */
export interface SpeechSynthesizer extends AsyncDisposable {
  /** Samples per second of what `speak` gives. */
  readonly rate: number;
  readonly voices: readonly string[];
  /** PCM (mono, -1 to 1) in playing order. */
  speak(phrase: string, voice: string, signal: AbortSignal): AsyncIterable<SpokenPcm>;
}

/** The four engines of a conversation. */
export type Engines = {
  readonly vad: VoiceDetector;
  readonly asr: SpeechRecognizer;
  readonly llm: ChatModel;
  readonly tts: SpeechSynthesizer;
};

/** What failed, said so that the user can be told; keeps its `cause`. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly stage: Stage;
  constructor(stage: Stage, message: string, options?: ErrorOptions) {
    super(message, options);
    this.stage = stage;
  }
}
