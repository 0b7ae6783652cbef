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
      /** Whether the bytes of clips come over this socket, or only their addresses (as when it is left out). */
      clips?: 'pieces' | 'url';
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
  | {
      type: 'clip_received';
      turn: number /** how many of the clip's bytes have arrived, counted from its beginning */;
      bytes: number;
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

/** The base clips of an avatar: its face while it does not speak, and two bodies for when it does. */
export type LoopName = 'idle' | 'listening' | 'thinking' | 'speaking-1' | 'speaking-2';

/** The face that is shown; its addresses are on this server. */
export type AvatarView = {
  readonly id: string;
  readonly name: string;
  /** A square picture. */
  readonly picture: string;
  /** Videos (MP4) of those base clips that are made; each begins and ends with the picture. */
  readonly loops: Readonly<Partial<Record<LoopName, string>>>;
  /** Set while base clips are being made: the share that is done, 0 to 1. */
  readonly making?: number;
  /** Why base clips could not be made. */
  readonly problem?: string;
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
  | 'video_failed'
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
      /** The face, where there is one. */
      avatar?: AvatarView;
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
  | { type: 'avatar'; avatar: AvatarView /** another face, or more of its base clips */ }
  | {
      type: 'clip_progress';
      turn: number;
      /** It waits for another reply's clip, its body is being made, or its mouth is. */
      stage: 'waiting' | 'base' | 'speaking';
      /** The share that is done, 0 to 1, where it is known. */
      done?: number;
    }
  | {
      type: 'speaking_clip';
      turn: number;
      /** Its name on this server. */
      clip: string;
      /** Where it can be fetched, from now on while it is being made. */
      url: string;
      /** With codecs, as `MediaSource.isTypeSupported` wants it. */
      mime: string;
      width: number;
      height: number;
      fps: number;
    }
  | {
      type: 'clip_done';
      turn: number;
      clip: string;
      /** Length of all its pieces together. */
      bytes: number;
      seconds: number;
      /** The whole clip with its index in front, to be played again or kept. */
      url: string;
    }
  | { type: 'notice'; text: string }
  | { type: 'error'; code: ErrorCode; message: string; stage?: 'vad' | 'asr' | 'llm' | 'tts' | 'video'; turn?: number }
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
