import { afterAll, beforeAll } from 'vitest';
import { create as createBuiltin } from '../../src/server/engines/builtin-llm.ts';
import { create as createOpenAi } from '../../src/server/engines/openai-llm.ts';
import { createLlm } from '../../src/server/engines/scripted.ts';
import { delta, llmServer, stream } from './llm-server.ts';
import { chatModelSuite } from './llm-suite.ts';

const LONG =
  'This reply has more than twenty words, so that one may leave it in the middle, or abort it, or ask for another one.';

chatModelSuite('builtin', { open: () => createBuiltin(), long: 'tell me a long story' });

chatModelSuite('scripted', { open: () => createLlm({ replies: [LONG] }), long: 'anything' });

let server: Awaited<ReturnType<typeof llmServer>>;
beforeAll(async () => {
  server = await llmServer((response) => {
    stream(response);
    for (const word of LONG.split(/(?= )/)) response.write(delta(word));
    response.end('data: [DONE]\n\n');
  });
});
afterAll(() => server[Symbol.asyncDispose]());

chatModelSuite('openai', { open: () => createOpenAi({ baseUrl: server.baseUrl, model: 'tiny' }), long: 'anything' });
