import type { ChatMessage, ChatRequest, Situation, ToolCall, ToolDescription } from '../contracts.ts';

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
  const note = asked?.role === 'user' ? latency(situation, asked.content) : '';
  if (asked && note !== '') asked.note = `\n(${note})`;
  if (asked?.role !== 'user') said.push({ role: 'user', content: '…' });
  return { system: systemText(prompts.join('\n\n'), tools, facts(situation)), said };
}

/** What stands first in every prompt; what never changes stands before what may, so that it is evaluated once. */
export function systemText(prompt: string, tools: readonly ToolDescription[], about = ''): string {
  return [prompt.trim(), tools.length > 0 ? toolText(tools) : '', about].filter(Boolean).join('\n\n');
}

/** A tool call as the model writes it: what Hermes introduced and Qwen, among others, was trained on. */
export function callText({ name, args }: Pick<ToolCall, 'name' | 'args'>): string {
  return `<tool_call>\n{"name": ${JSON.stringify(name)}, "arguments": ${JSON.stringify(args)}}\n</tool_call>`;
}

function contentOf({ role, content, cut, toolCalls = [] }: ChatMessage): string {
  if (role === 'tool') return `<tool_response>\n${content.trim()}\n</tool_response>`;
  const said = content.trim();
  const text = cut && said !== '' && !/(?:…|\.\.\.)$/.test(said) ? `${said}…` : said;
  return [text, ...toolCalls.map(callText)].filter(Boolean).join('\n');
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

function facts({ engines }: Situation): string {
  const { vad, asr, llm, tts } = engines;
  if ([vad, asr, llm, tts].every((name) => name === '')) return '';
  return `If you are asked what you run on: voice detection ${vad}, speech recognition ${asr}, language model ${llm}, voice ${tts}.`;
}

/** The figure differs in each turn, so it is told only to who asks for it. */
function latency({ lastVoiceToVoiceMs }: Situation, asked: string): string {
  return lastVoiceToVoiceMs !== undefined && /fast|slow|quick|speed|latenc|delay|respon|how long|second/i.test(asked)
    ? `Your last reply began ${Math.round(lastVoiceToVoiceMs)} ms after I had finished.`
    : '';
}
