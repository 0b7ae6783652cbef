import { afterAll, beforeAll } from 'vitest';
import { writePcm16 } from '../../src/protocol/pcm.ts';
import type { SpeechSynthesizer } from '../../src/server/engines/contracts.ts';
import { create as createFlite } from '../../src/server/engines/flite-tts.ts';
import { create } from '../../src/server/engines/openai-tts.ts';
import { json, speechServer } from './speech-server.ts';
import { ttsSuite } from './tts-suite.ts';

/** Phrases go over HTTP to a synthesiser that really speaks. */
let flite: SpeechSynthesizer;
let server: Awaited<ReturnType<typeof speechServer>>;
beforeAll(async () => {
  flite = await createFlite();
  server = await speechServer(async (response, { path, body }) => {
    if (path.endsWith('/audio/voices')) return json(response, { voices: flite.voices });
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    response.writeHead(200, { 'content-type': `audio/L16; rate=${flite.rate}` });
    const voice = { name: String(body.voice), speed: Number(body.speed ?? 1) };
    for await (const { samples } of flite.speak(String(body.input), voice, gone.signal)) {
      const bytes = new Uint8Array(2 * samples.length);
      writePcm16(samples, new DataView(bytes.buffer), 0);
      response.write(bytes);
    }
    response.end();
  });
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await flite?.[Symbol.asyncDispose]();
});

ttsSuite('openai', () => create({ baseUrl: server.baseUrl, model: 'flite' }), { words: false });
