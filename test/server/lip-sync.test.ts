import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { HAS_FFMPEG, startVideoServer } from '../fixtures/video-server.ts';
import { WireClient } from '../fixtures/wire-client.ts';

const TOKEN = 'a secret of the lender';

describe.skipIf(!HAS_FFMPEG)(
  'a voice-chat that borrows the lip-sync of another (skipped where there is no ffmpeg)',
  () => {
    it('makes its clips with it, and says in a sentence when it is gone', async () => {
      const lender = await startVideoServer({ server: { token: TOKEN } });
      await using _ = lender;
      const lipSync = { engine: 'remote', baseUrl: lender.url, token: TOKEN };
      await using borrower = await startVideoServer({ video: { enabled: true, lipSync } });
      await borrower.isUp();
      const client = await WireClient.open(borrower.url, undefined, {}, 'pieces');
      await client.chat('hello');
      const { bytes } = await client.first('clip_done');
      expect(client.clipBytes(1)).toBe(bytes);
      expect(lender.log.some((line) => line.includes('lip-sync is lent'))).toBe(true);
      await lender.stop(0);
      client.type('and now');
      const error = await client.first('error');
      expect(error).toMatchObject({ code: 'video_failed', turn: 2, message: expect.stringContaining('baseUrl') });
      await client.hearAll(2);
      client.drop();
    });

    it('lends it to nobody without the token', async () => {
      await using lender = await startVideoServer({ server: { token: TOKEN } });
      const status = await new Promise((resolve) => {
        const socket = new WebSocket(`${lender.url.replace('http', 'ws')}/ws/lip-sync`);
        socket.on('error', () => {});
        socket.on('unexpected-response', (_request, response) => resolve(response.statusCode));
        socket.on('open', () => resolve(101));
      });
      expect(status).toBe(401);
    });
  },
);
