import type { ChatMessage, ChatRequest, Situation, ToolCall } from '../contracts.ts';
import { saidText } from '../prompt/said-text.ts';
import { aboutEngines, latencyAskedFor } from '../prompt/self-knowledge.ts';

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
  for (const message of messages) {
    const { role, content, toolCalls, callId } = message;
    if (role === 'system') continue;
    if (role === 'tool') {
      if (tools) talk.push({ role, content, tool_call_id: callId ?? '' });
      continue;
    }
    const calls = tools ? (toolCalls ?? []).map(sentCall) : [];
    const said = saidText(message);
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
  const content = [...system, facts(situation, asked)].filter(Boolean).join('\n\n');
  return content === '' ? talk : [{ role: 'system', content }, ...talk];
}

/** Templates read the arguments as an object, whatever the model once wrote. */
function sentCall({ id, name, args }: ToolCall): SentCall {
  const isObject = typeof args === 'object' && args !== null && !Array.isArray(args);
  return { id, type: 'function', function: { name, arguments: JSON.stringify(isObject ? args : {}) } };
}

/** What the model may be asked about itself. */
function facts(situation: Situation, asked: string): string {
  const ms = latencyAskedFor(situation, asked);
  const speed = ms === undefined ? '' : `Your last reply began ${ms} ms after the user had finished.`;
  return [aboutEngines(situation), speed].filter(Boolean).join(' ');
}
