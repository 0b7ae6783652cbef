import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { type AccessRules, refusal } from '../../../src/server/access.ts';
import { AddressLimits } from '../../../src/server/address-limits.ts';

const RULES: AccessRules = {
  allowedHosts: ['voice.lan'],
  allowedOrigins: ['https://app.lan'],
  token: '',
  secure: false,
};
const request = (headers: Record<string, string>, remoteAddress = '192.0.2.1') =>
  ({ headers, method: 'GET', socket: { remoteAddress } }) as unknown as IncomingMessage;
const reason = (headers: Record<string, string>, rules: Partial<AccessRules> = {}, open = false) =>
  refusal(request({ host: 'localhost:8000', ...headers }), { ...RULES, ...rules }, new AddressLimits(5, 1), open)
    ?.reason;

describe('access', () => {
  it('lets in its own page, programs of the user, and what is allowed', () => {
    expect(reason({})).toBeUndefined();
    expect(reason({ origin: 'http://localhost:8000' })).toBeUndefined();
    expect(reason({ host: '[::1]:8000', origin: 'http://[::1]:8000' })).toBeUndefined();
    expect(reason({ host: 'VOICE.lan:8000' })).toBeUndefined();
    expect(reason({ origin: 'https://app.lan' })).toBeUndefined();
  });

  it('refuses a name that was rebound to this machine, whatever its origin', () => {
    expect(reason({ host: 'rebind.test:8000', origin: 'http://rebind.test:8000' })).toBe('host');
    expect(reason({ host: '' })).toBe('host');
    expect(reason({ host: 'localhost.evil.test:8000' })).toBe('host');
  });

  it('refuses other pages, also those without a name', () => {
    for (const origin of ['http://evil.test', 'http://localhost:9999', 'https://localhost:8000', 'null', '']) {
      expect(reason({ origin }), origin).toBe('origin');
    }
    expect(reason({ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' })).toBe('origin');
  });

  it('lets people follow a link to the page', () => {
    expect(reason({ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' })).toBeUndefined();
  });

  it('asks for the token where there is one, except on open paths', () => {
    const token = '0123456789abcdef';
    expect(reason({}, { token })).toBe('token');
    expect(reason({ authorization: `Bearer ${token}` }, { token })).toBeUndefined();
    expect(reason({ cookie: `a=b; voice-chat-token=${token}` }, { token })).toBeUndefined();
    expect(reason({ authorization: `Bearer ${token}x` }, { token })).toBe('token');
    expect(reason({ cookie: `voice-chat-token=` }, { token })).toBe('token');
    expect(reason({}, { token }, true)).toBeUndefined();
  });
});

describe('wrong tokens', () => {
  const rules = { ...RULES, token: '0123456789abcdef' };
  const right = { authorization: `Bearer ${rules.token}` };
  const wrong = { authorization: 'Bearer fedcba9876543210' };

  /** A server that takes three wrong tokens from an address, and one more each second. */
  function server() {
    let now = 0;
    const guesses = new AddressLimits(3, 1, () => now);
    return {
      wait: (ms: number) => {
        now += ms;
      },
      ask: (headers: Record<string, string>, address?: string, open = false) =>
        refusal(request({ host: 'localhost', ...headers }, address), rules, guesses, open)?.status ?? 200,
    };
  }

  it('are refused without being looked at when too many came, and so is the right one', () => {
    const { ask, wait } = server();
    expect([wrong, wrong, wrong, wrong, right].map((headers) => ask(headers))).toEqual([401, 401, 401, 429, 429]);
    wait(1_000);
    expect([right, wrong, right].map((headers) => ask(headers))).toEqual([200, 401, 429]);
  });

  it('count as cookies too', () => {
    const { ask } = server();
    for (let i = 0; i < 3; i++) expect(ask({ cookie: `voice-chat-token=wrong${i}` })).toBe(401);
    expect(ask({ cookie: 'voice-chat-token=wrong' })).toBe(429);
  });

  it('count for their address only, and for a whole network of version 6', () => {
    const { ask } = server();
    for (let i = 0; i < 4; i++) ask(wrong, `2001:db8:1:2::${i}`);
    expect(ask(right, '2001:db8:1:2:3:4:5:6')).toBe(429);
    expect(ask(right, '2001:db8:1:3::1')).toBe(200);
    for (let i = 0; i < 4; i++) ask(wrong, `2001:db8::${i}`);
    expect(ask(right, '2001:db8::9')).toBe(429);
    expect(ask(right, '192.0.2.2')).toBe(200);
    for (let i = 0; i < 4; i++) ask(wrong, '::ffff:192.0.2.3');
    expect(ask(right, '::ffff:192.0.2.4')).toBe(200);
  });

  it('are not what a request without any, with the right one, or to an open path comes to', () => {
    const { ask } = server();
    for (let i = 0; i < 10; i++) {
      expect(ask({})).toBe(401);
      expect(ask(right)).toBe(200);
      expect(ask(wrong, undefined, true)).toBe(200);
    }
    expect(ask(right)).toBe(200);
  });
});
