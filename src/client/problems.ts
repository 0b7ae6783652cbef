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
