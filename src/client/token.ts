import type { TokenStore } from './connection.ts';

const KEY = 'voice-chat:session';
let kept: string | undefined;

/** The session's token, kept for this tab so that a reload goes on with the conversation. */
export const sessionToken: TokenStore = {
  get() {
    try {
      return sessionStorage.getItem(KEY) ?? undefined;
    } catch {
      return kept;
    }
  },
  set(token) {
    kept = token;
    try {
      if (token === undefined) sessionStorage.removeItem(KEY);
      else sessionStorage.setItem(KEY, token);
    } catch {
      // Kept above, for as long as the page is open.
    }
  },
};
