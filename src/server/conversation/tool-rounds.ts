import { abortable } from '../async/abortable.ts';
import { Queue } from '../async/queue.ts';
import type { ChatMessage, ChatModel, ChatRequest, ReplyDelta, ToolCall } from '../engines/contracts.ts';
import { withoutThoughts } from './thoughts.ts';
import type { ToolBox, ToolRound } from './tool-box.ts';

/** So often may one reply call tools; then the model has to do with what it knows. */
const MAX_ROUNDS = 4;
const MAX_CALLS_AT_ONCE = 8;
const STOPPED = 'This was stopped before it was done, because the user spoke.';

/**
 * The text of a reply in which the model may call tools, its thoughts left out. Text passes at once; calls run as soon as they
 * are made, whether or not the text before is read; then the model is asked again with the results. What was called is
 * noted in `rounds`. Ends when `signal` aborts, and the calls with it; throws what the model throws.
 */
export async function* replyWithTools(
  llm: ChatModel,
  request: ChatRequest,
  tools: ToolBox,
  rounds: ToolRound[],
  signal: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  const own = new AbortController();
  const writer = new Writer(llm, tools, rounds, AbortSignal.any([signal, own.signal]));
  void writer.write(request);
  try {
    yield* writer.text;
  } finally {
    own.abort();
  }
}

class Writer {
  readonly text = new Queue<string>();
  readonly #llm: ChatModel;
  readonly #tools: ToolBox;
  readonly #rounds: ToolRound[];
  readonly #signal: AbortSignal;
  /** Resolves when nobody wants the reply any more. */
  readonly #stopped: Promise<undefined>;
  #written = 0;

  constructor(llm: ChatModel, tools: ToolBox, rounds: ToolRound[], signal: AbortSignal) {
    this.#llm = llm;
    this.#tools = tools;
    this.#rounds = rounds;
    this.#signal = signal;
    this.#stopped = new Promise((resolve) => {
      signal.addEventListener('abort', () => resolve(undefined), { once: true });
    });
  }

  async write(request: ChatRequest): Promise<void> {
    const { descriptions } = this.#tools;
    let { messages } = request;
    try {
      for (let rounds = 0; !this.#signal.aborted; rounds++) {
        const mayCall = rounds < MAX_ROUNDS && descriptions.length > 0;
        const asked = { ...request, messages, ...(mayCall ? { tools: descriptions } : {}) };
        const more = await this.#round(asked, mayCall);
        if (more.length === 0) break;
        messages = [...messages, ...more];
      }
      this.text.end();
    } catch (error) {
      this.text.fail(error);
    }
  }

  /** Asks the model once; gives what it has to be asked with next, nothing when its reply is complete. */
  async #round(request: ChatRequest, mayCall: boolean): Promise<ChatMessage[]> {
    const running: Promise<void>[] = [];
    let round: ToolRound | undefined;
    let said = '';
    const call = (one: ToolCall) => {
      if (!mayCall || this.#signal.aborted) return;
      if (!round) {
        said = this.#endLine(said);
        round = { at: this.#written, calls: [], results: [] };
        this.#rounds.push(round);
      }
      running.push(this.#run(one, round));
    };
    const deltas = abortable(this.#llm.reply(request, this.#signal), this.#signal);
    for await (const piece of withoutThoughts(onlyText(deltas, call))) {
      const text = said === '' ? piece.trimStart() : piece;
      said += text;
      this.#push(text);
    }
    if (!round || this.#signal.aborted) return [];
    this.#endLine(said);
    round.at = this.#written;
    await Promise.race([Promise.all(running), this.#stopped]);
    const { calls, results } = round;
    return [
      { role: 'assistant', content: said.trim(), toolCalls: [...calls] },
      ...calls.map(({ id }, i): ChatMessage => ({ role: 'tool', content: results[i]!, callId: id })),
    ];
  }

  async #run(call: ToolCall, round: ToolRound): Promise<void> {
    const place = round.calls.push(call) - 1;
    round.results.push(STOPPED);
    const result =
      place < MAX_CALLS_AT_ONCE
        ? await this.#tools.run(call, this.#signal)
        : `Only ${MAX_CALLS_AT_ONCE} tools may be called at once. Call this one again.`;
    // History must not change once the reply is over.
    if (!this.#signal.aborted) round.results[place] = result;
  }

  /** So that what was written before a call is spoken while it runs, and what follows begins a phrase of its own. */
  #endLine(said: string): string {
    if (said === '' || said.endsWith('\n')) return said;
    this.#push('\n');
    return `${said}\n`;
  }

  #push(text: string): void {
    if (text === '') return;
    this.#written += text.length;
    this.text.push(text);
  }
}

async function* onlyText(
  deltas: AsyncIterable<ReplyDelta>,
  call: (call: ToolCall) => void,
): AsyncGenerator<string, void, undefined> {
  for await (const delta of deltas) {
    if (typeof delta === 'string') yield delta;
    else call(delta);
  }
}
