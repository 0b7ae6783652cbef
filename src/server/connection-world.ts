import type { ServerMessage } from '../protocol/messages.ts';
import type { Logger } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { Sessions } from './sessions.ts';
import type { VideoTier } from './video-link.ts';

/** What all connections share. */
export type ConnectionWorld = {
  readonly sessions: Sessions;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly limits: {
    readonly textLetters: number;
    readonly messagesPerSecond: number;
    readonly outboundBytes: number;
    readonly idleMinutes: number;
  };
  readonly speechRate: number;
  readonly voices: readonly string[];
  readonly engines: Extract<ServerMessage, { type: 'welcome' }>['engines'];
  readonly voiceInputOff: string | undefined;
  readonly video: VideoTier | undefined;
};
