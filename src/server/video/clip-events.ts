import type { ClipEvent } from './contracts.ts';

/** Beyond this much unread a reader has stopped taking the clip; it can still be fetched whole. */
const MAX_UNREAD_BYTES = 16 * 1024 * 1024;

type Reader = {
  events: ClipEvent[];
  /** The turn whose clip was announced to this reader, and is followed from its first byte. */
  follows: number | undefined;
  unread: number;
  over: boolean;
  wake: () => void;
};

/** What a conversation is told of its clips, by whoever reads at the moment; what nobody reads is forgotten. */
export class ClipEvents {
  #reader: Reader | undefined;

  /** Tells the reader, if there is one; of a clip that began before it came it gets no bytes. */
  tell(event: ClipEvent): void {
    const reader = this.#reader;
    if (!reader) return;
    if (event.type === 'clip') reader.follows = event.turn;
    if (event.type === 'bytes') {
      if (reader.follows !== event.turn) return;
      reader.unread += event.bytes.length;
      if (reader.unread > MAX_UNREAD_BYTES) {
        this.#drop(reader, (one) => one.type === 'bytes');
        reader.follows = undefined;
        return;
      }
    }
    reader.events.push(event);
    reader.wake();
  }

  /** Forgets what has not been read of `turn`, but for events of type `except`. */
  forget(turn: number, except?: ClipEvent['type']): void {
    if (this.#reader) this.#drop(this.#reader, (event) => event.turn === turn && event.type !== except);
  }

  /** What is told from now on, until `signal` aborts; a new reader takes over from the last. */
  read(signal: AbortSignal): AsyncIterable<ClipEvent> {
    this.close();
    const reader: Reader = { events: [], follows: undefined, unread: 0, over: signal.aborted, wake: () => {} };
    this.#reader = reader;
    signal.addEventListener('abort', () => this.#leave(reader), { once: true });
    return this.#events(reader);
  }

  /** Ends the reader that there is, at once. */
  close(): void {
    if (this.#reader) this.#leave(this.#reader);
  }

  async *#events(reader: Reader): AsyncGenerator<ClipEvent, void, undefined> {
    try {
      while (!reader.over) {
        const event = reader.events.shift();
        if (event) {
          if (event.type === 'bytes') reader.unread -= event.bytes.length;
          yield event;
        } else {
          await new Promise<void>((resolve) => {
            reader.wake = resolve;
          });
        }
      }
    } finally {
      this.#leave(reader);
    }
  }

  #leave(reader: Reader): void {
    if (this.#reader === reader) this.#reader = undefined;
    reader.over = true;
    reader.events = [];
    reader.wake();
  }

  #drop(reader: Reader, which: (event: ClipEvent) => boolean): void {
    reader.events = reader.events.filter((event) => !which(event));
    reader.unread = reader.events.reduce((sum, event) => sum + (event.type === 'bytes' ? event.bytes.length : 0), 0);
  }
}
