import type { Engines, Situation } from '../engines/contracts.ts';
import type { HearingSettings } from './hearing.ts';
import type { ReplySettings } from './reply.ts';
import type { OpenToolBox } from './tool-box.ts';
import type { Turn, TurnOutcome } from './turn.ts';

/** How a session behaves. */
export type ConversationSettings = HearingSettings &
  ReplySettings & {
    readonly systemPrompt: string;
    /** Messages of the conversation that the chat model is shown. */
    readonly historyMessages: number;
    /** Said when the recogniser heard speech that it cannot put into words; empty to stay silent. */
    readonly notUnderstood: string;
  };

/** What a session needs from the world around it. */
export type SessionWorld = {
  readonly engines: Engines;
  readonly situation: () => Situation;
  /** Milliseconds that only grow; used to measure, never to decide. */
  readonly clock: () => number;
  /** Resolves when a client has had time to say how much it has played of a reply that was cut. */
  readonly patience: () => Promise<void>;
  readonly onTurnOver: (turn: Turn, outcome: TurnOutcome) => void;
  /** The tools that the chat model may call; none when left out. */
  readonly tools?: OpenToolBox;
};
