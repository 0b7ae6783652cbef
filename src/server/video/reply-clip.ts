import { Queue } from '../async/queue.ts';
import type { ClipEvent } from './contracts.ts';
import type { Body } from './speaking-bodies.ts';

/** How a reply's clip ended: it is there; it could not be made; or it was not wanted any more. */
export type ClipEnd =
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'cancelled' };

/** The speech of one reply, kept until it is asked for. */
export class ReplySpeech {
  readonly #queue = new Queue<Float32Array>();
  #samples = 0;
  #unread = 0;
  readonly #ended = new AbortController();

  /** Samples of it so far. */
  get samples(): number {
    return this.#samples;
  }

  /** Samples that wait to be read. */
  get unread(): number {
    return this.#unread;
  }

  /** Aborts when it is complete, or not wanted any more. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  push(samples: Float32Array): void {
    if (this.#ended.signal.aborted) return;
    this.#samples += samples.length;
    this.#unread += samples.length;
    this.#queue.push(samples);
  }

  end(): void {
    this.#queue.end();
    this.#ended.abort();
  }

  /** Forgets what has not been read, and ends. */
  drop(): void {
    this.#queue.clear();
    this.#unread = 0;
    this.end();
  }

  /** All of it, from its beginning on, for one reader. */
  async *read(): AsyncGenerator<Float32Array, void, undefined> {
    for await (const samples of this.#queue) {
      this.#unread -= samples.length;
      yield samples;
    }
  }
}

/** One reply on its way to a clip: what it says, and what becomes of it until it ends, once. */
export class ReplyClip {
  readonly turn: number;
  readonly speech = new ReplySpeech();
  /** What it says, as far as it is written. */
  text = '';
  /** The body made for it alone, where there is one. */
  body: Body | undefined;
  #end: ClipEnd | undefined;
  readonly #gone = new AbortController();
  readonly #tell: (event: ClipEvent) => void;
  readonly #onEnd: (end: ClipEnd) => void;

  constructor(turn: number, tell: (event: ClipEvent) => void, onEnd: (end: ClipEnd) => void) {
    this.turn = turn;
    this.#tell = tell;
    this.#onEnd = onEnd;
  }

  /** How it ended; undefined as long as its clip is wanted and possible. */
  get ended(): ClipEnd | undefined {
    return this.#end;
  }

  /** Aborts when it ends. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Tells its listener, unless it has ended. */
  tell(event: ClipEvent): void {
    if (!this.#end) this.#tell(event);
  }

  /** Ends it, the first time. */
  end(end: ClipEnd): void {
    if (this.#end) return;
    this.#end = end;
    this.speech.drop();
    this.#onEnd(end);
    this.#gone.abort();
  }
}
