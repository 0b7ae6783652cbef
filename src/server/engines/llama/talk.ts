import type { ChatMessage, ChatRequest, ToolCall, ToolDescription } from '../contracts.ts';
import { saidText } from '../prompt/said-text.ts';
import { aboutEngines, latencyAskedFor } from '../prompt/self-knowledge.ts';

/** What one side said, as the model gets it. */
export type Said = {
  readonly role: 'user' | 'assistant';
  readonly content: string;
  /** Told to the model after `content`, and not part of the history that the next request brings. */
  readonly note?: string;
};

/** A conversation as chat formats take it. */
export type Talk = {
  readonly system: string;
  /** Users and assistant in turn, the first and the last a user's. */
  readonly said: readonly Said[];
};

/** The request as one system text and alternating messages, none empty; a reply that was cut ends in an ellipsis. */
export function talkOf({ messages, situation, tools = [] }: ChatRequest): Talk {
  const prompts = messages.filter(({ role }) => role === 'system').map(({ content }) => content.trim());
  const said: { role: 'user' | 'assistant'; content: string; note?: string }[] = [];
  for (const message of messages) {
    if (message.role === 'system') continue;
    const content = contentOf(message);
    const role = message.role === 'assistant' ? 'assistant' : 'user';
    const last = said.at(-1);
    if (content === '' || (!last && role === 'assistant')) continue;
    if (last?.role === role) last.content += `\n${content}`;
    else said.push({ role, content });
  }
  const asked = said.at(-1);
  const ms = asked?.role === 'user' ? latencyAskedFor(situation, asked.content) : undefined;
  if (asked && ms !== undefined) asked.note = `\n(Your last reply began ${ms} ms after I had finished.)`;
  if (asked?.role !== 'user') said.push({ role: 'user', content: '…' });
  return { system: systemText(prompts.join('\n\n'), tools, aboutEngines(situation)), said };
}

/** What stands first in every prompt; what never changes stands before what may, so that it is evaluated once. */
export function systemText(prompt: string, tools: readonly ToolDescription[], about = ''): string {
  return [prompt.trim(), tools.length > 0 ? toolText(tools) : '', about].filter(Boolean).join('\n\n');
}

/** A tool call as the model writes it: what Hermes introduced and Qwen, among others, was trained on. */
function callText({ name, args }: Pick<ToolCall, 'name' | 'args'>): string {
  return `<tool_call>\n{"name": ${JSON.stringify(name)}, "arguments": ${JSON.stringify(args)}}\n</tool_call>`;
}

function contentOf(message: ChatMessage): string {
  const { role, content, toolCalls = [] } = message;
  if (role === 'tool') return `<tool_response>\n${content.trim()}\n</tool_response>`;
  return [saidText(message), ...toolCalls.map(callText)].filter(Boolean).join('\n');
}

function toolText(tools: readonly ToolDescription[]): string {
  const lines = tools.map(({ name, description, parameters }) =>
    JSON.stringify({ type: 'function', function: { name, description, parameters } }),
  );
  return `# Tools

You may call one or more functions to assist with the user query.

You are provided with function signatures within <tools></tools> XML tags:
<tools>
${lines.join('\n')}
</tools>

For each function call, return a json object with function name and arguments within <tool_call></tool_call> XML tags:
<tool_call>
{"name": <function-name>, "arguments": <args-json-object>}
</tool_call>`;
}
