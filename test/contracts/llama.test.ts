import { describe } from 'vitest';
import { create } from '../../src/server/engines/llama-llm.ts';
import { missing, stories, tinyLlama, tinySettings } from './llama-models.ts';
import { chatModelSuite } from './llm-suite.ts';

const tiny = tinyLlama();
describe.skipIf(missing)(`node-llama-cpp${missing ?? ''}`, () => {
  chatModelSuite('llama, random weights', { open: () => create(tinySettings(tiny)), long: 'tell me a story' });

  if (stories) {
    const file = stories;
    chatModelSuite('llama, real weights', {
      open: () => create(tinySettings(file, { contextTokens: 512, maxTokens: 60 })),
      long: 'Once upon a time there was a little dog. Tell me a story of it.',
    });
  }
});
