import type { Config } from './config.ts';

const NAMES = { en: '', zh: 'Chinese', de: 'German', fr: 'French', es: 'Spanish', ja: 'Japanese' } as const;

/** What the chat model is told about its part: the configured prompt, and the language to answer in. */
export function instructions({ llm, language }: Pick<Config, 'llm' | 'language'>): string {
  const name = NAMES[language];
  if (llm.systemPrompt === '' || name === '') return llm.systemPrompt;
  return `${llm.systemPrompt} Answer in ${name}.`;
}
