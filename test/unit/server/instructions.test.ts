import { expect, it } from 'vitest';
import { parseConfig } from '../../../src/server/config.ts';
import { instructions } from '../../../src/server/instructions.ts';

it.each([
  ['language: en', /^You are .*markup\.$/],
  ['language: de', /markup\. Answer in German\.$/],
  ['{ language: ja, llm: { systemPrompt: Be kind. } }', /^Be kind\. Answer in Japanese\.$/],
  ['{ language: fr, llm: { systemPrompt: "" } }', /^$/],
])('%s gives the chat model its part', (yaml, told) => {
  expect(instructions(parseConfig(yaml))).toMatch(told);
});
