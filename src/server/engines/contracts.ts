import type { ReplyWord, VoiceChoice } from '../../protocol/messages.ts';

export type Stage = 'vad' | 'asr' | 'llm' | 'tts';

/** Whose engine failed: a stage of the conversation, or the video tier. */
export type FailedPart = Stage | 'video';

/** What every engine is, whatever it does. */
export interface Engine extends AsyncDisposable {
  /** Where it really computes, found out when it was loaded: `CPU, 4 threads` or `CUDA, NVIDIA GeForce RTX 5090`, say. */
  readonly runsOn?: string;
}

/** Finds speech in microphone audio. */
export interface VoiceDetector extends Engine {
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
export interface SpeechRecognizer extends Engine {
  /** Partial transcripts of `speech` (16 kHz mono, -1 to 1, chunks of any length), then exactly one final one. */
  recognize(speech: AsyncIterable<Float32Array>, signal: AbortSignal): AsyncIterable<Transcript>;
}

/** The chat model wants a tool to be run; `args` is the JSON it wrote, checked by nobody yet. */
export type ToolCall = { readonly id: string; readonly name: string; readonly args: unknown };

/** A tool as the chat model is told of it; `parameters` is a JSON schema of an object. */
export type ToolDescription = {
  readonly name: string;
  readonly description: string;
  readonly parameters: Readonly<Record<string, unknown>>;
};

export type ChatMessage = {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  /** For a reply that was cut: only what the user heard of it. */
  readonly content: string;
  /** The user cut this reply short. */
  readonly cut?: boolean;
  /** Of an assistant's message: the tools it called after `content`. */
  readonly toolCalls?: readonly ToolCall[];
  /** Of a tool's message: the id of the call whose result `content` is. */
  readonly callId?: string;
};

/** What the assistant may be asked about itself. */
export type Situation = {
  /** One description per stage, such as `pocketsphinx (en-us)`. */
  readonly engines: Readonly<Record<Stage, string>>;
  /** End of the user's speech to the first audio of the last reply, in milliseconds. */
  readonly lastVoiceToVoiceMs?: number;
};

export type ChatRequest = {
  readonly messages: readonly ChatMessage[];
  readonly situation: Situation;
  /** The tools it may call; none when left out. */
  readonly tools?: readonly ToolDescription[];
};

/** The next piece of a reply: text, or a tool that is to be run. */
export type ReplyDelta = string | ToolCall;

/** Writes the reply. */
export interface ChatModel extends Engine {
  /**
   * The reply's text, token by token. Where it calls tools, the calls come last: the reply goes on when it is asked again
   * with the calls and their results at the end of the messages.
   */
  reply(request: ChatRequest, signal: AbortSignal): AsyncIterable<ReplyDelta>;
}

/** A piece of speech; `words` are those that begin in it, their positions counted from the start of the phrase. */
export type SpokenPcm = { readonly samples: Float32Array; readonly words?: readonly ReplyWord[] };

/** Whose voice speaks, and how fast; an empty name is the first one's. */
export type SpeakingVoice = VoiceChoice;

/** Speaks the reply. */
export interface SpeechSynthesizer extends Engine {
  /** Samples per second of what `speak` gives. */
  readonly rate: number;
  readonly voices: readonly string[];
  /** PCM (mono, -1 to 1) in playing order. */
  speak(phrase: string, voice: SpeakingVoice, signal: AbortSignal): AsyncIterable<SpokenPcm>;
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
  readonly stage: FailedPart;
  constructor(stage: FailedPart, message: string, options?: ErrorOptions) {
    super(message, options);
    this.stage = stage;
  }
}
