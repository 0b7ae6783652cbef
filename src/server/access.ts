import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { AddressLimits } from './address-limits.ts';

/** Who may talk to the server: names it answers to, pages it trusts, and a secret where it can be reached from outside. */
export type AccessRules = {
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  /** Empty on loopback, where whoever can connect is already the user. */
  readonly token: string;
  readonly secure: boolean;
};

export type Refusal = {
  readonly status: 401 | 403 | 429;
  readonly reason: 'host' | 'origin' | 'token' | 'guesses';
  readonly text: string;
};

const OWN_NAMES = ['localhost', '127.0.0.1', '[::1]'];
export const TOKEN_COOKIE = 'voice-chat-token';

/**
 * Why a request or upgrade is refused; undefined if it may pass. Open paths need no token but the right host. Wrong tokens
 * are taken from the address's `guesses`; when those are used up, its tokens are not even looked at.
 */
export function refusal(
  request: IncomingMessage,
  rules: AccessRules,
  guesses: AddressLimits,
  open = false,
): Refusal | undefined {
  // A page that had a DNS name rebound to this machine sends that name; nothing else can tell it from ours.
  const host = request.headers.host ?? '';
  const name = host.replace(/:\d+$/, '').toLowerCase();
  if (![...OWN_NAMES, ...rules.allowedHosts.map((allowed) => allowed.toLowerCase())].includes(name)) {
    return deny(
      403,
      'host',
      `This server does not answer to the name ${JSON.stringify(name)}; add it to server.allowedHosts.`,
    );
  }
  const { origin } = request.headers;
  const own = `${rules.secure ? 'https' : 'http'}://${host}`;
  if (origin !== undefined && origin !== own && !rules.allowedOrigins.includes(origin)) {
    return deny(403, 'origin', `Pages from ${origin} may not use this server; add it to server.allowedOrigins.`);
  }
  const site = request.headers['sec-fetch-site'];
  const navigates = request.headers['sec-fetch-mode'] === 'navigate' && request.method === 'GET';
  if (origin === undefined && site !== undefined && site !== 'same-origin' && site !== 'none' && !navigates) {
    return deny(403, 'origin', 'Other sites may not use this server.');
  }
  if (open || rules.token === '') return undefined;
  const given = tokensOf(request);
  if (given.length > 0) {
    const left = guesses.of(request);
    if (!left.has(1)) return deny(429, 'guesses', 'Too many wrong tokens came from this address; wait a few seconds.');
    if (given.some((one) => sameSecret(one, rules.token))) return undefined;
    left.take(1);
  }
  return deny(401, 'token', 'This server asks for its token: log in on its page, or send it as a bearer token.');
}

/** Compares secrets in a time that does not depend on where they differ. */
export function sameSecret(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

/** What a request shows as the token. */
function tokensOf(request: IncomingMessage): string[] {
  const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
  const cookies = (request.headers.cookie ?? '').split(/;\s*/);
  const cookie = cookies.find((one) => one.startsWith(`${TOKEN_COOKIE}=`))?.slice(TOKEN_COOKIE.length + 1);
  return [bearer, cookie && decoded(cookie)].filter((given): given is string => Boolean(given));
}

/** A cookie is whatever somebody sent: a stray `%` may not throw. */
function decoded(cookie: string): string | undefined {
  try {
    return decodeURIComponent(cookie);
  } catch {
    return undefined;
  }
}

const deny = (status: Refusal['status'], reason: Refusal['reason'], text: string): Refusal => ({
  status,
  reason,
  text,
});
