import type { Line, ServerMessage, TurnMetrics } from '../protocol/messages.ts';
import { SpokenText } from './spoken-text.ts';

/** The user's side of a turn. */
export type UserCaption = {
  readonly state: 'partial' | 'final' | 'not_understood';
  readonly text: string;
  readonly typed: boolean;
};

/** The assistant's side of a turn. */
export type ReplyCaption =
  | { readonly state: 'open' | 'done'; readonly spoken: SpokenText }
  | { readonly state: 'cut'; readonly heard: string; readonly unheard: string };

/** One turn as the page shows it. */
export type Exchange = {
  readonly turn: number;
  user?: UserCaption;
  reply?: ReplyCaption;
  metrics?: TurnMetrics;
  /** Where the reply's finished clip lies. */
  clip?: string;
  /** How long the page took to fall silent after a flush, in milliseconds. */
  silentMs?: number;
};

/** The captions of a conversation, turn by turn. */
export class Transcript {
  readonly #past: Exchange[] = [];
  #exchanges = new Map<number, Exchange>();

  /** The turns of the session, in order. */
  get exchanges(): Exchange[] {
    return [...this.#exchanges.values()].sort((a, b) => a.turn - b.turn);
  }

  /** Takes over the server's lines of a session that goes on; what is known beyond them stays. */
  restore(lines: readonly Line[]): void {
    for (const line of lines) {
      const exchange = this.of(line.turn);
      if (line.who === 'user') exchange.user = { state: 'final', text: line.text, typed: line.typed };
      else if (line.unheard) exchange.reply = { state: 'cut', heard: line.text, unheard: line.unheard };
      else if (textOf(exchange.reply) !== line.text || exchange.reply?.state === 'open') {
        const spoken = new SpokenText();
        spoken.append(line.text);
        exchange.reply = { state: 'done', spoken };
      }
    }
  }

  /** Puts the session's turns aside, because another one begins and counts its turns anew. */
  archive(): void {
    this.#past.push(...this.exchanges);
    this.#exchanges = new Map();
  }

  /** Forgets everything. */
  clear(): void {
    this.#past.length = 0;
    this.#exchanges = new Map();
  }

  /** Takes a message in and returns the turn it changed, if it changed one. */
  apply(message: ServerMessage): Exchange | undefined {
    switch (message.type) {
      case 'partial':
        return this.#set(message.turn, { user: { state: 'partial', text: message.text, typed: false } });
      case 'user_said':
        return this.#set(message.turn, { user: { state: 'final', text: message.text, typed: message.typed } });
      case 'ignored':
        return this.#ignore(message.turn, message.reason);
      case 'reply_text':
        return this.#open(message.turn, (spoken) => spoken.append(message.text));
      case 'reply_words':
        return this.#open(message.turn, (spoken) => spoken.add(message.words));
      case 'reply_done': {
        const exchange = this.of(message.turn);
        if (exchange.reply?.state === 'open') exchange.reply = { ...exchange.reply, state: 'done' };
        return exchange;
      }
      case 'cut':
        return this.#set(message.turn, { reply: { state: 'cut', heard: message.heard, unheard: message.unheard } });
      case 'clip_done':
        return this.#set(message.turn, { clip: message.url });
      case 'metrics':
        return this.#set(message.turn, { metrics: { ...this.of(message.turn).metrics, ...message.metrics } });
      default:
        return undefined;
    }
  }

  /** The turn, made if it is new. */
  of(turn: number): Exchange {
    let exchange = this.#exchanges.get(turn);
    if (!exchange) {
      exchange = { turn };
      this.#exchanges.set(turn, exchange);
    }
    return exchange;
  }

  /** The whole conversation as plain text, for a file. */
  toText(): string {
    const lines: string[] = [];
    for (const { user, reply } of [...this.#past, ...this.exchanges]) {
      if (user?.state === 'final') lines.push(`You: ${user.text.trim()}`);
      if (reply?.state === 'cut') lines.push(`Assistant: ${reply.heard.trim()} [not heard: ${reply.unheard.trim()}]`);
      else if (reply) lines.push(`Assistant: ${reply.spoken.text.trim()}`);
    }
    return lines.length === 0 ? '' : `${lines.join('\n\n')}\n`;
  }

  #set(turn: number, change: Partial<Exchange>): Exchange {
    return Object.assign(this.of(turn), change);
  }

  #ignore(turn: number, reason: 'noise' | 'not_understood'): Exchange {
    const exchange = this.of(turn);
    if (reason === 'not_understood') exchange.user = { state: 'not_understood', text: '', typed: false };
    else delete exchange.user;
    return exchange;
  }

  #open(turn: number, change: (spoken: SpokenText) => void): Exchange {
    const exchange = this.of(turn);
    // What arrives after a cut was on its way when the user took the floor.
    if (exchange.reply?.state === 'cut') return exchange;
    exchange.reply ??= { state: 'open', spoken: new SpokenText() };
    change(exchange.reply.spoken);
    return exchange;
  }
}

function textOf(reply: ReplyCaption | undefined): string | undefined {
  if (!reply) return undefined;
  return reply.state === 'cut' ? reply.heard : reply.spoken.text;
}
