import type { Config } from './config.ts';
import { LANGUAGE_NAMES } from './models/model-entry.ts';

/** What the chat model is told about its part: the configured prompt, and the language to answer in. */
export function instructions({ llm, language }: Pick<Config, 'llm' | 'language'>): string {
  if (llm.systemPrompt === '' || language === 'en') return llm.systemPrompt;
  return `${llm.systemPrompt} Answer in ${LANGUAGE_NAMES[language]}.`;
}
