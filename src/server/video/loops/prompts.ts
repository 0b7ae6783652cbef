import type { LoopName } from '../../../protocol/messages.ts';

/** What base clips show, in words. */
export type LoopPrompts = {
  readonly idle: string;
  readonly listening: string;
  readonly thinking: string;
  /** Of the speaking bodies, which take them in turn. */
  readonly speaking: readonly string[];
  /** With {reply} where the reply's words belong. */
  readonly reply: string;
  readonly negative: string;
};

/** Letters of a reply that a prompt takes; models of video read few words. */
const MAX_REPLY_LETTERS = 300;

/** The prompt of one loop. */
export function promptOf(loop: LoopName, { speaking, ...prompts }: LoopPrompts): string {
  if (loop === 'speaking-1') return speaking[0] ?? prompts.idle;
  if (loop === 'speaking-2') return speaking[1] ?? speaking[0] ?? prompts.idle;
  return prompts[loop];
}

/** The prompt of a body for one reply: its first words, as plain text that cannot leave its quotation marks. */
export function promptOfReply(template: string, reply: string): string {
  const plain = reply
    .replace(/[\p{C}\s]+/gu, ' ')
    .replace(/["“”„«»{}<>`|\\]/g, '')
    .trim();
  const letters = [...plain];
  const cut = letters.slice(0, MAX_REPLY_LETTERS).join('');
  const words = letters.length > MAX_REPLY_LETTERS ? cut.replace(/\s+\S*$/, '') : cut;
  return template.replaceAll('{reply}', () => words);
}
