import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { type AccessRules, refusal } from '../../../src/server/access.ts';

const RULES: AccessRules = {
  allowedHosts: ['voice.lan'],
  allowedOrigins: ['https://app.lan'],
  token: '',
  secure: false,
};
const request = (headers: Record<string, string>, method = 'GET') =>
  ({ headers, method }) as unknown as IncomingMessage;
const reason = (headers: Record<string, string>, rules: Partial<AccessRules> = {}, open = false) =>
  refusal(request({ host: 'localhost:8000', ...headers }), { ...RULES, ...rules }, open)?.reason;

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
