import { expect, it } from 'vitest';
import { chooseLlm } from '../../../src/server/choose-llm.ts';
import { parseConfig } from '../../../src/server/config.ts';
import { createLogger } from '../../../src/server/log.ts';
import { planFor, recorded } from '../../fixtures/probes.ts';

const log = createLogger('error', () => {});
const supplied = {
  id: 'brain',
  title: 'Brain',
  family: 'gguf',
  engine: 'llama',
  files: { model: '/brain.gguf' },
  why: 'it fits',
} as const;

it.each(['rtx-4090', 'rtx-3060', 'no-card'])(
  'takes no more contexts than the plan has counted on a machine like %s',
  (name) => {
    const plan = planFor(recorded(name)).llm!;
    const choice = chooseLlm(parseConfig(''), { llm: { ...supplied, plan }, without: {} }, log);
    expect(choice.settings).toMatchObject({ conversations: plan.conversations, contextTokens: plan.contextTokens });
  },
);

it('keeps one more context than the conversations that the user asked for, to be tried out in', () => {
  const config = parseConfig('llm: { engine: llama, model: ./brain.gguf, conversations: 3 }');
  const choice = chooseLlm(config, { llm: { ...supplied, plan: undefined }, without: {} }, log);
  expect(choice.settings).toMatchObject({ conversations: 4 });
});
