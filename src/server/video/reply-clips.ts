import { ClipEvents } from './clip-events.ts';
import type { ClipEvent, ReplyVideo } from './contracts.ts';
import { type ClipEnd, ReplyClip } from './reply-clip.ts';

/** Letters of a reply that are kept: more than any prompt uses. */
const MAX_TEXT = 2_000;

/** Where the replies of all conversations go to become clips. */
export interface ClipLine {
  /** Whether `more` samples of speech can wait besides those that do. */
  hasRoom(more: number): boolean;
  /** Takes a reply that has got its first speech, and ends `before`, the one of the same conversation that it replaces. */
  begin(reply: ReplyClip, before: ReplyClip | undefined): void;
}

/** The clips of one conversation: its newest reply alone is on its way. */
export class ReplyClips implements ReplyVideo {
  readonly #line: ClipLine;
  readonly #onClose: () => void;
  readonly #events = new ClipEvents();
  #reply: ReplyClip | undefined;
  /** The newest turn that had speech or was over without any; nothing begins for it or an older one. */
  #last = -1;
  /** What was written of a reply that has no speech yet. */
  #written = { turn: -1, text: '' };
  /** The last failure that was told, until a clip succeeds: a standing cause is told once. */
  #told: string | undefined;
  #closed = false;

  constructor(line: ClipLine, onClose: () => void) {
    this.#line = line;
    this.#onClose = onClose;
  }

  /** Samples of speech that wait to be read. */
  get waiting(): number {
    return this.#reply?.speech.unread ?? 0;
  }

  text(turn: number, text: string): void {
    if (turn === this.#reply?.turn) this.#reply.text = (this.#reply.text + text).slice(0, MAX_TEXT);
    else if (turn === this.#written.turn) this.#written.text = (this.#written.text + text).slice(0, MAX_TEXT);
    else if (turn > this.#last) this.#written = { turn, text: text.slice(0, MAX_TEXT) };
  }

  speech(turn: number, samples: Float32Array): void {
    if (this.#closed || samples.length === 0) return;
    const reply = this.#reply?.turn === turn ? this.#reply : this.#begin(turn);
    if (!reply || reply.ended) return;
    if (this.#line.hasRoom(samples.length)) reply.speech.push(samples);
    else
      reply.end({ kind: 'failed', message: 'Too much speech waits for its clips; the machine is too slow for video.' });
  }

  end(turn: number): void {
    if (this.#reply?.turn === turn) this.#reply.speech.end();
    this.#last = Math.max(this.#last, turn);
  }

  cancel(turn: number): void {
    if (this.#reply?.turn === turn) this.#reply.end({ kind: 'cancelled' });
    this.#events.forget(turn);
    this.#last = Math.max(this.#last, turn);
  }

  read(signal: AbortSignal): AsyncIterable<ClipEvent> {
    return this.#events.read(signal);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reply?.end({ kind: 'cancelled' });
    this.#events.close();
    this.#onClose();
  }

  #begin(turn: number): ReplyClip | undefined {
    if (turn <= this.#last) return undefined;
    this.#last = turn;
    const before = this.#reply;
    const reply = new ReplyClip(
      turn,
      (event) => this.#events.tell(event),
      (end) => this.#onEnd(turn, end),
    );
    if (this.#written.turn === turn) reply.text = this.#written.text;
    this.#reply = reply;
    this.#line.begin(reply, before);
    // Of a clip that is past and complete, only that matters: it can be played again.
    if (before) this.#events.forget(before.turn, 'done');
    return reply;
  }

  #onEnd(turn: number, end: ClipEnd): void {
    switch (end.kind) {
      case 'done':
        this.#told = undefined;
        return;
      case 'cancelled':
        this.#events.forget(turn);
        return;
      case 'failed':
        this.#events.forget(turn);
        if (end.message !== this.#told) this.#events.tell({ type: 'failed', turn, message: end.message });
        this.#told = end.message;
    }
  }
}
