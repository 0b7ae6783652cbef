/** Bumped when an old page could no longer talk to a new server. */
export const PROTOCOL_VERSION = 1;

/**
 * How the microphone is used: `open` lets the voice detector find the ends of speech, `held` is push-to-talk
 * (everything is speech until it changes), `off` is muted.
 */
export type MicMode = 'open' | 'held' | 'off';

/** One of the synthesiser's voices, and how fast it speaks: 1 is its own speed, 0.5 to 2. */
export type VoiceChoice = { readonly name: string; readonly speed: number };

/** JSON text messages from the browser. The first one must be `hello`. */
export type ClientMessage =
  | {
      type: 'hello';
      version: number /** the `token` of a former `welcome`, to go on with that session */;
      token?: string;
    }
  | { type: 'mic'; mode: MicMode }
  | { type: 'text'; text: string }
  | { type: 'voice'; voice: VoiceChoice /** holds from the next reply on */ }
  | { type: 'interrupt' }
  | {
      type: 'played';
      turn: number;
      /** Samples of this turn's speech that have left the speaker (the device's output latency taken off). */
      samples: number;
      /** Set on the last report of a turn: it was flushed, or it has ended. */
      final?: boolean;
    }
  | { type: 'ping'; id: number }
  | { type: 'bye' };

/** What the user sees the conversation doing. */
export type ConversationState = 'listening' | 'hearing' | 'thinking' | 'speaking';

/** A word of a reply and where it lies in the reply's speech, in samples. */
export type ReplyWord = { readonly text: string; readonly start: number; readonly end: number };

/** One line of the conversation so far, as the page shows it. */
export type Line =
  | { who: 'user'; turn: number; text: string; typed: boolean }
  | {
      who: 'assistant';
      turn: number;
      text: string /** what the user did not hear of a reply that was cut */;
      unheard: string;
    };

/** Where the time of one turn went, in milliseconds; a part that did not happen is left out. */
export type TurnMetrics = {
  /** End of the user's speech (or the typed text's arrival) to the first reply audio handed to the socket. */
  voiceToVoiceMs?: number;
  /** Silence waited for until the end of turn was believed. */
  endpointMs?: number;
  /** End of turn to final transcript. */
  asrMs?: number;
  /** Final transcript to the first token. */
  llmMs?: number;
  /** First token to the first complete phrase. */
  phraseMs?: number;
  /** First phrase to its first audio. */
  ttsMs?: number;
  /** Length of the user's speech. */
  userSpeechMs?: number;
};

export type ErrorCode =
  | 'bad_message'
  | 'too_large'
  | 'too_fast'
  | 'text_too_long'
  | 'engine_failed'
  | 'voice_input_off'
  | 'server_busy'
  | 'taken_over';

/** JSON text messages to the browser. */
export type ServerMessage =
  | {
      type: 'welcome';
      version: number;
      session: string;
      /** Single use: send it in the next `hello` to go on with this session after the socket dropped. */
      token: string;
      resumed: boolean;
      micRate: number;
      speechRate: number;
      /** One description per stage, such as `pocketsphinx (en-us)`. */
      engines: Record<'vad' | 'asr' | 'llm' | 'tts', string>;
      /** The voices there are, and the one that speaks. */
      voices: string[];
      voice: VoiceChoice;
      /** Why speaking will not work, when it will not; typing always does. */
      voiceInputOff?: string;
      lines: Line[];
    }
  | { type: 'state'; state: ConversationState; turn: number }
  | { type: 'partial'; turn: number; text: string }
  | { type: 'user_said'; turn: number; text: string; typed: boolean }
  | { type: 'ignored'; turn: number; reason: 'noise' | 'not_understood' }
  | { type: 'reply_text'; turn: number /** the next piece of the reply, as written */; text: string }
  | { type: 'reply_words'; turn: number /** the words of the speech that follows */; words: ReplyWord[] }
  | { type: 'reply_done'; turn: number /** length of the whole reply's speech */; samples: number }
  | { type: 'flush'; turn: number }
  | { type: 'cut'; turn: number; heard: string; unheard: string }
  | { type: 'metrics'; turn: number; metrics: TurnMetrics }
  | { type: 'notice'; text: string }
  | { type: 'error'; code: ErrorCode; message: string; stage?: 'vad' | 'asr' | 'llm' | 'tts'; turn?: number }
  | { type: 'goaway'; reason: string; timeLeftMs: number }
  | { type: 'pong'; id: number };

/** Close codes of `/ws/chat` beyond the standard ones; 1008 is a broken rule and 1009 a message too large. */
export const CLOSE = {
  goingAway: 1001,
  policy: 1008,
  tooLarge: 1009,
  internal: 1011,
  tryLater: 1013,
  idle: 4000,
  takenOver: 4001,
  slowConsumer: 4008,
} as const;
