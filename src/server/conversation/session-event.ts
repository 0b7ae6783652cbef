import type { ServerMessage } from '../../protocol/messages.ts';

/** What a session tells its user: the messages of the wire, and the reply's speech (`position` counts its samples). */
export type SessionEvent =
  | ServerMessage
  | {
      readonly type: 'speech';
      readonly turn: number;
      readonly position: number;
      readonly samples: Float32Array;
    };
