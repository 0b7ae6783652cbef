import type { ConversationState } from '../protocol/messages.ts';
import type { Phase } from './orb.ts';

/** What the page knows that decides what it shows. */
export type Situation = {
  readonly link: 'connecting' | 'ready' | 'lost';
  readonly conversation: ConversationState;
  readonly live: boolean;
  readonly muted: boolean;
  readonly pushToTalk: boolean;
  readonly held: boolean;
  readonly voiceInputOff: boolean;
};

/** What the orb shows and the two lines under it say. */
export type Status = { readonly phase: Phase; readonly title: string; readonly hint: string };

/** The state of everything, in words. */
export function describeStatus(now: Situation): Status {
  if (now.link === 'lost') {
    return { phase: 'offline', title: 'Not connected', hint: 'Trying again. What was said stays here.' };
  }
  if (now.link === 'connecting') {
    const hint = now.live ? 'Go ahead: what you say now is kept.' : 'One moment.';
    return { phase: 'connecting', title: 'Connecting…', hint };
  }
  if (now.conversation === 'speaking') {
    const hint =
      now.live && !now.muted && !now.pushToTalk ? 'Just speak to interrupt.' : 'Press Interrupt or Esc to stop it.';
    return { phase: 'speaking', title: 'Speaking', hint };
  }
  if (now.conversation === 'thinking')
    return { phase: 'thinking', title: 'Thinking…', hint: 'Press Interrupt or Esc to stop it.' };
  if (!now.live) {
    const hint = now.voiceInputOff
      ? 'Type below: you will hear the answer.'
      : 'Press the circle and talk, or just type.';
    return { phase: 'idle', title: 'Ready when you are', hint };
  }
  if (now.muted) return { phase: 'muted', title: 'Muted', hint: 'Nothing you say is sent.' };
  if (now.pushToTalk && !now.held) {
    return { phase: 'muted', title: 'Push to talk', hint: 'Hold Space or the button while you speak.' };
  }
  if (now.conversation === 'hearing' || now.held) {
    return {
      phase: 'hearing',
      title: 'I hear you',
      hint: now.held ? 'Let go when you have finished.' : 'Pause when you have finished.',
    };
  }
  return { phase: 'listening', title: 'Listening', hint: 'Say something.' };
}
