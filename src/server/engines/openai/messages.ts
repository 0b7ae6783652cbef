import type { ChatMessage, ChatRequest, Situation, ToolCall } from '../contracts.ts';

type SentCall = { id: string; type: 'function'; function: { name: string; arguments: string } };

/** A message as servers take it. */
export type SentMessage = {
  role: ChatMessage['role'];
  content: string;
  tool_calls?: SentCall[];
  tool_call_id?: string;
};

/**
 * The conversation as chat templates accept it: one system message first, no two messages of one role in a row, none empty
 * save one that calls tools, a reply after the tools' results; a reply that was cut ends in an ellipsis. Without
 * `tools`, calls and results are left out.
 */
export function sentMessages({ messages, situation }: ChatRequest, { tools }: { tools: boolean }): SentMessage[] {
  const system = messages.filter(({ role }) => role === 'system').map(({ content }) => content.trim());
  const talk: SentMessage[] = [];
  for (const { role, content, cut, toolCalls, callId } of messages) {
    if (role === 'system') continue;
    if (role === 'tool') {
      if (tools) talk.push({ role, content, tool_call_id: callId ?? '' });
      continue;
    }
    const calls = tools ? (toolCalls ?? []).map(sentCall) : [];
    const said = cut ? withEllipsis(content) : content.trim();
    if (said === '' && calls.length === 0) continue;
    const last = talk.at(-1);
    if (last?.role === role && !last.tool_calls) {
      last.content = [last.content, said].filter(Boolean).join('\n');
      if (calls.length > 0) last.tool_calls = calls;
      continue;
    }
    // Of the reply that the results were for, nothing was heard; templates want one all the same.
    if (role === 'user' && last?.role === 'tool') talk.push({ role: 'assistant', content: '…' });
    talk.push({ role, content: said, ...(calls.length > 0 ? { tool_calls: calls } : {}) });
  }
  const asked = talk.findLast(({ role }) => role === 'user')?.content ?? '';
  return [{ role: 'system', content: [...system, facts(situation, asked)].filter(Boolean).join('\n\n') }, ...talk];
}

/** Templates read the arguments as an object, whatever the model once wrote. */
function sentCall({ id, name, args }: ToolCall): SentCall {
  const isObject = typeof args === 'object' && args !== null && !Array.isArray(args);
  return { id, type: 'function', function: { name, arguments: JSON.stringify(isObject ? args : {}) } };
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
