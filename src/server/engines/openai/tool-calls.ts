import { randomUUID } from 'node:crypto';
import type { ToolCall } from '../contracts.ts';

type Piece = { index?: unknown; id?: unknown; function?: { name?: unknown; arguments?: unknown } };
type Slot = { index: unknown; id: string; name: string; args: string };

/** Puts the tool calls of a streamed reply together, whose arguments come in pieces. */
export class ToolCallPieces {
  readonly #slots: Slot[] = [];

  /** Takes `tool_calls` of a delta or a message; what is no list of calls is left out. */
  add(pieces: unknown): void {
    if (!Array.isArray(pieces)) return;
    for (const piece of pieces) if (typeof piece === 'object' && piece !== null) this.#add(piece);
  }

  /** The calls, each with an id that is not among `used`. */
  calls(used: ReadonlySet<string>): ToolCall[] {
    const ids = new Set(used);
    return this.#slots
      .filter(({ name }) => name !== '')
      .map(({ id, name, args }) => {
        const own = id === '' || ids.has(id) ? newId() : id;
        ids.add(own);
        return { id: own, name, args: parsed(args) };
      });
  }

  #add(piece: Piece): void {
    const id = typeof piece.id === 'string' ? piece.id : '';
    const name = typeof piece.function?.name === 'string' ? piece.function.name : '';
    const args = piece.function?.arguments;
    const text = typeof args === 'string' ? args : args === undefined || args === null ? '' : JSON.stringify(args);
    const slot = this.#slotOf(piece.index, id, name);
    slot.id ||= id;
    slot.name ||= name;
    slot.args += text;
  }

  #slotOf(index: unknown, id: string, name: string): Slot {
    const slot = index === undefined ? this.#slots.at(-1) : this.#slots.findLast((one) => one.index === index);
    // Some servers give every call of a reply the index 0, or none; and some repeat the name with every piece.
    const isNext = slot && (id !== '' ? slot.id !== '' && slot.id !== id : name !== '' && isComplete(slot.args));
    if (slot && !isNext) return slot;
    const next = { index, id, name, args: '' };
    this.#slots.push(next);
    return next;
  }
}

/** Nine letters and digits: some chat templates take no other id. */
const newId = (): string => randomUUID().replaceAll('-', '').slice(0, 9);

function parsed(args: string): unknown {
  if (args.trim() === '') return {};
  try {
    return JSON.parse(args);
  } catch {
    // Whoever runs the tool tells the model.
    return args;
  }
}

const isComplete = (args: string): boolean => typeof parsed(args) === 'object' && args.trim() !== '';
