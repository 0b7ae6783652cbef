import { createOpenAiVideos } from '../../src/server/video/base/openai-videos.ts';
import { standIn } from '../fixtures/stand-in.ts';
import { baseClipSuite } from './base-clips-suite.ts';

baseClipSuite('a server with /v1/videos', async () => {
  let isHeld = false;
  let isBroken = false;
  let arrived = () => {};
  const server = await standIn(
    (incoming) => ({ method: incoming.method, path: incoming.url ?? '' }),
    (response, { method, path }) => {
      if (path.endsWith('/content')) return void response.end('a video');
      const status = isBroken ? 'failed' : isHeld ? 'in_progress' : 'completed';
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ id: 'one', status }));
      if (method === 'GET') arrived();
    },
  );
  const maker = createOpenAiVideos({ baseUrl: server.baseUrl, model: '', apiKey: '' }, { pollMs: 1 });
  return {
    maker,
    hold: () => {
      isHeld = true;
      const reached = new Promise<void>((resolve) => {
        arrived = resolve;
      });
      return {
        reached,
        goOn: () => {
          isHeld = false;
        },
      };
    },
    breakIt: () => {
      isBroken = true;
    },
    async [Symbol.asyncDispose]() {
      await maker[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
});
