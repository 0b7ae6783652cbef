/** A message as a chat template gets it. */
export type TemplateMessage = { readonly role: 'system' | 'user' | 'assistant'; readonly content: string };

/** Renders a chat template (Jinja); throws what the template raises. */
export type RenderTemplate = (messages: readonly TemplateMessage[], variables: Record<string, unknown>) => string;

/**
 * What stands around messages in a model's prompt. These are the only parts in which special tokens are parsed. Since they
 * are the same for every turn, a conversation's prompt only ever grows at its end.
 */
export type ChatFormat = {
  /** Around the system's message; undefined where the model knows none, and it belongs to the first user's message. */
  readonly system: { readonly before: string; readonly after: string } | undefined;
  /** Before the first user's message when there is no system's. */
  readonly begin: string;
  readonly beforeReply: string;
  /** Between a reply and the user's next message. */
  readonly afterReply: string;
  /** Texts that end a reply, for models without a token for it. */
  readonly stops: readonly string[];
};

/** ChatML, for models that know its tokens but bring no template. */
export const CHATML: ChatFormat = {
  system: { before: '<|im_start|>system\n', after: '<|im_end|>\n<|im_start|>user\n' },
  begin: '<|im_start|>user\n',
  beforeReply: '<|im_end|>\n<|im_start|>assistant\n',
  afterReply: '<|im_end|>\n<|im_start|>user\n',
  stops: [],
};

/** A written dialogue, for models that were never taught a chat format. */
export const DIALOGUE: ChatFormat = {
  system: { before: '', after: '\n\nUser: ' },
  begin: 'User: ',
  beforeReply: '\nAssistant:',
  afterReply: '\nUser: ',
  stops: ['\nUser:', '\nAssistant:'],
};

const MARKS = ['⟦0⟧', '⟦1⟧', '⟦2⟧', '⟦3⟧', '⟦4⟧', '⟦5⟧'] as const;

/** Reads a model's format off its chat template by rendering it around marks; undefined when no format can be read off it. */
export function readFormat(render: RenderTemplate, thinking: boolean): ChatFormat | undefined {
  const variables = { add_generation_prompt: true, enable_thinking: thinking };
  const gapsOf = (messages: readonly TemplateMessage[]): string[] | undefined => {
    try {
      return gaps(render(messages, variables), messages);
    } catch {
      return undefined;
    }
  };
  const talk: TemplateMessage[] = MARKS.slice(1).map((content, i) => ({
    role: i % 2 === 0 ? 'user' : 'assistant',
    content,
  }));
  const without = gapsOf(talk);
  if (!without) return undefined;
  const [begin, beforeOldReply, afterReply, beforeOldReply2, afterReply2, end] = without as [string, ...string[]];
  // A template that moves things about as the conversation grows would make the model read all of it anew each turn.
  if (beforeOldReply !== beforeOldReply2 || afterReply !== afterReply2) return undefined;
  const withSystem = gapsOf([{ role: 'system', content: MARKS[0] }, ...talk]);
  const system =
    withSystem && withSystem.slice(2).join('\0') === without.slice(1).join('\0')
      ? { before: withSystem[0]!, after: withSystem[1]! }
      : undefined;
  return { system, begin, beforeReply: unthinking(end!, thinking), afterReply: afterReply!, stops: [] };
}

/** What stands before, between and after the messages' contents; undefined unless each is there once, in order. */
function gaps(text: string, messages: readonly TemplateMessage[]): string[] | undefined {
  const found: string[] = [];
  let rest = text;
  for (const { content } of messages) {
    const parts = rest.split(content);
    if (parts.length !== 2) return undefined;
    found.push(parts[0]!);
    rest = parts[1]!;
  }
  return [...found, rest];
}

/** Some templates open a thought on the model's behalf, whatever they are asked for. */
function unthinking(beforeReply: string, thinking: boolean): string {
  const opened = beforeReply.lastIndexOf('<think>') > beforeReply.lastIndexOf('</think>');
  return opened && !thinking ? `${beforeReply.trimEnd()}\n\n</think>\n\n` : beforeReply;
}
