import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { holdLock } from '../../../src/server/models/blob-lock.ts';

const never = new AbortController().signal;
let file: string;
beforeEach(() => {
  file = join(mkdtempSync(join(tmpdir(), 'voice-chat-lock-')), 'locks', 'x.voice-chat');
  mkdirSync(dirname(file));
});
afterEach(() => rmSync(dirname(dirname(file)), { recursive: true }));

/** Whether the lock that lies there is respected: somebody else waits until it gives up. */
async function isRespected(): Promise<boolean> {
  const stop = new AbortController();
  return holdLock(file, () => stop.abort(), stop.signal).then(
    async (release) => {
      await release();
      return false;
    },
    () => true,
  );
}

describe('the lock of a download', () => {
  it('is held by one at a time and leaves no file', async () => {
    let holders = 0;
    let most = 0;
    const one = async () => {
      const release = await holdLock(file, () => {}, never);
      most = Math.max(most, ++holders);
      await new Promise((resolve) => setImmediate(resolve));
      holders--;
      await release();
    };
    await Promise.all([one(), one(), one()]);
    expect(most).toBe(1);
    expect(readdirSync(dirname(file))).toEqual([]);
  });

  it.each([
    ['a living process', { pid: process.ppid, host: hostname(), token: '' }, 0, true],
    ['another machine', { pid: 1, host: 'another', token: '' }, 0, true],
    ['another machine that has not touched it for long', { pid: 1, host: 'another', token: '' }, 120, false],
    // More than any system gives.
    ['a process that is gone', { pid: 2 ** 30, host: hostname(), token: '' }, 0, false],
    [
      'a process before us with our number, as in a container',
      { pid: process.pid, host: hostname(), token: '' },
      0,
      false,
    ],
  ])('of %s (%j, %i s old) is respected: %s', async (_, holder, ageSeconds, respected) => {
    writeFileSync(file, JSON.stringify(holder));
    const at = Date.now() / 1000 - ageSeconds;
    utimesSync(file, at, at);
    expect(await isRespected()).toBe(respected);
  });

  it('of which only a part has been written is respected', async () => {
    writeFileSync(file, '{"pid"');
    expect(await isRespected()).toBe(true);
  });
});
