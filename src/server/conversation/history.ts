import type { Line } from '../../protocol/messages.ts';
import type { ChatMessage } from '../engines/contracts.ts';
import type { HeardLedger } from './heard.ts';
import type { ToolRound } from './tool-box.ts';

/** The part of a turn that history needs: its reply, the tools called in it, and whether the user cut it. */
export type Reply = {
  readonly id: number;
  readonly ledger: HeardLedger;
  readonly cut: boolean;
  readonly toolRounds: readonly ToolRound[];
};

type Entry = { who: 'user'; turn: number; text: string; typed: boolean } | { who: 'assistant'; reply: Reply };

/** Kept for the page and for engines; far more than any model is sent. */
const MAX_ENTRIES = 2_000;

/** What was said by whom; of a reply that was cut, only what the user heard. */
export class History {
  readonly #entries: Entry[] = [];

  addUser(turn: number, text: string, typed: boolean): void {
    this.#add({ who: 'user', turn, text, typed });
  }

  /** Adds a reply as it begins; what it says is read from its ledger whenever history is. */
  addReply(reply: Reply): void {
    this.#add({ who: 'assistant', reply });
  }

  /**
   * The newest messages for a chat model, `limit` at most where a user's is the last, the oldest one a user's. When there would
   * be more, the older half goes at once: the conversation then begins with the same message for many turns, and the model need
   * not read it anew.
   */
  messages(limit: number): ChatMessage[] {
    const messages: ChatMessage[] = [];
    for (const entry of this.#entries) {
      if (entry.who === 'user') {
        messages.push({ role: 'user', content: entry.text });
        continue;
      }
      messages.push(...replyMessages(entry.reply));
    }
    let first = Math.max(
      0,
      messages.findIndex(({ role }) => role === 'user'),
    );
    messages.forEach((_, last) => {
      if (last + 1 - first <= limit) return;
      const half = last + 1 - Math.ceil(limit / 2);
      const next = messages.findIndex(({ role }, at) => at >= half && at <= last && role === 'user');
      // A turn of many tool calls may be longer than that; it keeps its question.
      first = next >= 0 ? next : messages.findLastIndex(({ role }, at) => at <= last && role === 'user');
    });
    return messages.slice(first);
  }

  /** The conversation as the page shows it; a reply of which nothing was written is no line. */
  lines(): Line[] {
    const lines = this.#entries.map((entry): Line => {
      if (entry.who === 'user') return entry;
      const { id, ledger, cut } = entry.reply;
      if (!cut) return { who: 'assistant', turn: id, text: ledger.text.trim(), unheard: '' };
      const { heard, unheard } = ledger.split();
      return { who: 'assistant', turn: id, text: heard, unheard };
    });
    return lines.filter((line) => line.text !== '' || (line.who === 'assistant' && line.unheard !== ''));
  }

  /** In the order of turns, which is not always that of arrival: a slow transcript can come after a typed message. */
  #add(entry: Entry): void {
    let at = this.#entries.length;
    while (at > 0 && turnOf(this.#entries[at - 1]!) > turnOf(entry)) at--;
    this.#entries.splice(at, 0, entry);
    if (this.#entries.length > MAX_ENTRIES) this.#entries.splice(0, MAX_ENTRIES / 2);
  }
}

/** What was said, with the tools where they were called: those stand even in a reply of which nothing was heard. */
function replyMessages({ ledger, cut, toolRounds }: Reply): ChatMessage[] {
  const messages: ChatMessage[] = [];
  let from = 0;
  for (const { at, calls, results } of toolRounds) {
    const { heard, unheard } = ledger.split(from, at);
    const said = cut
      ? { content: heard, ...(unheard === '' ? {} : { cut }) }
      : { content: ledger.text.slice(from, at).trim() };
    messages.push({ role: 'assistant', ...said, toolCalls: [...calls] });
    for (const [i, { id }] of calls.entries()) messages.push({ role: 'tool', content: results[i]!, callId: id });
    from = at;
  }
  const content = cut ? ledger.split(from).heard : ledger.text.slice(from).trim();
  if (content !== '') messages.push({ role: 'assistant', content, ...(cut ? { cut } : {}) });
  return messages;
}

const turnOf = (entry: Entry): number => (entry.who === 'user' ? entry.turn : entry.reply.id);
