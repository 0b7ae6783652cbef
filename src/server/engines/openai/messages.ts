import type { ChatMessage, ChatRequest, Situation } from '../contracts.ts';

export type SentMessage = { role: ChatMessage['role']; content: string };

/**
 * The conversation as chat templates accept it: one system message first, no two messages of one role in a row, none empty;
 * a reply that was cut ends in an ellipsis.
 */
export function sentMessages({ messages, situation }: ChatRequest): SentMessage[] {
  const system = messages.filter(({ role }) => role === 'system').map(({ content }) => content.trim());
  const talk: SentMessage[] = [];
  for (const { role, content, cut } of messages) {
    if (role === 'system') continue;
    const said = cut ? withEllipsis(content) : content.trim();
    if (said === '') continue;
    const last = talk.at(-1);
    if (last?.role === role) last.content += `\n${said}`;
    else talk.push({ role, content: said });
  }
  const asked = talk.findLast(({ role }) => role === 'user')?.content ?? '';
  return [{ role: 'system', content: [...system, facts(situation, asked)].filter(Boolean).join('\n\n') }, ...talk];
}

function withEllipsis(content: string): string {
  const said = content.trim();
  return said === '' || /(?:…|\.\.\.)$/.test(said) ? said : `${said}…`;
}

/** What the model may be asked about itself, in one sentence. */
function facts({ engines, lastVoiceToVoiceMs }: Situation, asked: string): string {
  const parts = [
    `voice detection ${engines.vad}`,
    `speech recognition ${engines.asr}`,
    `language model ${engines.llm}`,
    `voice ${engines.tts}`,
  ];
  // The figure differs in each turn: sent each time, it would make the server read the whole conversation anew.
  const speed =
    lastVoiceToVoiceMs !== undefined && /fast|slow|quick|speed|latenc|delay|respon|how long|second/i.test(asked)
      ? `; your last reply began ${Math.round(lastVoiceToVoiceMs)} ms after the user had finished`
      : '';
  return `If you are asked what you run on: ${parts.join(', ')}${speed}.`;
}
