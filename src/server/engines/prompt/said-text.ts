import type { ChatMessage } from '../contracts.ts';

/** A message's words as a model is shown them: one that was cut ends in an ellipsis. */
export function saidText({ content, cut }: ChatMessage): string {
  const said = content.trim();
  return cut && said !== '' && !/(?:…|\.\.\.)$/.test(said) ? `${said}…` : said;
}
