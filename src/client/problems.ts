import { CLOSE } from '../protocol/messages.ts';
import type { ConnectionStatus } from './connection.ts';

/** What went wrong, in words for the user, and what they can do. */
export type Problem = { readonly title: string; readonly fix: string };

/** Why the microphone could not be opened, from what `getUserMedia` threw; `secure` is `window.isSecureContext`. */
export function microphoneProblem(error: unknown, secure: boolean): Problem {
  if (!secure) {
    return {
      title: 'This address may not use the microphone.',
      fix: 'Open the page by https, or as http://localhost on the machine itself. Typing works here too.',
    };
  }
  const name = error instanceof Error || error instanceof DOMException ? error.name : '';
  switch (name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return {
        title: 'The microphone is not allowed.',
        fix: 'Allow it by the icon beside the address (and in the privacy settings of your system), then start again.',
      };
    case 'NotFoundError':
    case 'OverconstrainedError':
      return { title: 'No microphone was found.', fix: 'Plug one in or switch it on, then start again.' };
    case 'NotReadableError':
    case 'AbortError':
      return {
        title: 'The microphone is in use or does not answer.',
        fix: 'Close other programs that record, or choose another one under Sound, then start again.',
      };
    case 'TypeError':
      return {
        title: 'This browser cannot record.',
        fix: 'Use a current Chrome, Edge, Firefox or Safari. Typing works here too.',
      };
    default:
      return { title: 'The microphone could not be opened.', fix: 'Choose another one under Sound and start again.' };
  }
}

/** An attempt after this many is worth a word: before, the server may just be restarting. */
const PATIENCE = 3;

/** Why there is no connection and what the button beside it says; undefined while it is too early to say. */
export function connectionProblem(status: ConnectionStatus): (Problem & { readonly button: string }) | undefined {
  if (status.state === 'waiting' && status.attempt >= PATIENCE) {
    const fix = 'Start it again with npm start; this page comes back by itself.';
    return { title: 'The server does not answer.', fix, button: 'Try now' };
  }
  if (status.state !== 'closed') return undefined;
  if (status.code === CLOSE.takenOver) {
    const fix = 'Close this one, or start a new conversation here.';
    return { title: 'This conversation goes on in another tab.', fix, button: 'Start here' };
  }
  if (status.code === CLOSE.idle) {
    const fix = 'Connect again when you want to talk.';
    return { title: 'The line was closed, as nobody spoke.', fix, button: 'Connect' };
  }
  const fix = status.reason
    ? `It says: ${status.reason}`
    : 'Reload the page; if it stays so, look at the server’s log.';
  return { title: 'The server closed the connection.', fix, button: 'Try again' };
}
