import { whenAborted } from '../async/when-aborted.ts';
import type { ClipStore } from './clip-store.ts';
import { type Clock, systemClock } from './clock.ts';
import type { ReplyVideo, VideoWorker } from './contracts.ts';
import { type ClipTools, makeClip } from './make-clip.ts';
import type { ClipEnd, ReplyClip } from './reply-clip.ts';
import { type ClipLine, ReplyClips } from './reply-clips.ts';
import type { SpeakingBodies } from './speaking-bodies.ts';

/** All speech that waits for the worker together: beyond it the machine is too slow for the conversations that it has. */
const MAX_WAITING_SECONDS = 180;

/** How long a worker may take to let go of a cancelled clip before the next one begins regardless. */
const PATIENCE_MS = 5_000;

/** How often the share that is done is told. */
const PROGRESS_MS = 500;

/** What clips are made with, and who hears of them. */
export type VideoEngineOptions = {
  readonly worker: VideoWorker;
  readonly bodies: SpeakingBodies;
  readonly clips: Pick<ClipStore, 'begin'>;
  /** Samples per second of all speech. */
  readonly rate: number;
  /** Hears of every reply that had speech, when its clip ends; for metrics and the log. */
  readonly onEnd?: (facts: ClipFacts) => void;
  readonly clock?: Clock;
};

/** How a reply's clip went, in seconds and bytes; never what was said. */
export type ClipFacts = {
  readonly end: ClipEnd;
  readonly speechSeconds: number;
  /** Since the reply's first speech. */
  readonly seconds: number;
};

/** Makes the clips of all conversations, one at a time: each conversation's newest reply, first come first served. */
export class VideoEngine implements ClipLine, AsyncDisposable {
  readonly #options: VideoEngineOptions;
  readonly #tools: ClipTools;
  readonly #conversations = new Set<ReplyClips>();
  #line: ReplyClip[] = [];
  #making: ReplyClip | undefined;
  #work: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: VideoEngineOptions) {
    this.#options = options;
    this.#tools = { clock: systemClock, ...options };
  }

  /** The clips of one more conversation. */
  open(): ReplyVideo {
    const conversation = new ReplyClips(this, () => this.#conversations.delete(conversation));
    if (this.#closed) conversation.close();
    else this.#conversations.add(conversation);
    return conversation;
  }

  /** Ends every clip; resolves once the worker has let go of the one that was being made. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const conversation of this.#conversations) conversation.close();
    await this.#work;
  }

  /** Whether `more` samples of speech can wait besides those that do. */
  hasRoom(more: number): boolean {
    const waiting = [...this.#conversations].reduce((sum, { waiting }) => sum + waiting, 0);
    return waiting + more <= MAX_WAITING_SECONDS * this.#options.rate;
  }

  /** Takes a reply that has got its first speech, and ends `before`, the one of the same conversation that it replaces. */
  begin(reply: ReplyClip, before: ReplyClip | undefined): void {
    const { bodies, rate, onEnd } = this.#options;
    const since = this.#tools.clock.now();
    reply.gone.addEventListener('abort', () => {
      this.#line = this.#line.filter((one) => one !== reply);
      // What is being made gives its body back when the worker has let go of it.
      if (this.#making !== reply) reply.body?.giveBack();
      const seconds = (this.#tools.clock.now() - since) / 1_000;
      try {
        onEnd?.({ end: reply.ended!, speechSeconds: reply.speech.samples / rate, seconds });
      } catch {
        // What counts clips must not end the server, as an error in here would.
      }
    });
    // A newer reply takes its conversation's place, so that quick turns do not lose it again and again.
    const place = before ? this.#line.indexOf(before) : -1;
    before?.end({ kind: 'cancelled' });
    if (bodies.own) void this.#fit(reply, bodies);
    else this.#join(reply, place);
  }

  /** Lets a body be made for the reply alone; those of other conversations go ahead meanwhile. */
  async #fit(reply: ReplyClip, bodies: SpeakingBodies): Promise<void> {
    let next = 0;
    const onProgress = (done: number) => {
      const now = this.#tools.clock.now();
      if (now < next) return;
      next = now + PROGRESS_MS;
      reply.tell({ type: 'progress', turn: reply.turn, stage: 'base', done });
    };
    const words = { text: () => reply.text, spoken: reply.speech.ended };
    const body = await bodies.own?.(words, onProgress, reply.gone).catch(() => undefined);
    reply.body = body;
    if (reply.ended) body?.giveBack();
    else this.#join(reply, -1);
  }

  #join(reply: ReplyClip, place: number): void {
    this.#line.splice(place < 0 ? this.#line.length : place, 0, reply);
    if (!this.#making) this.#next();
    else if (!this.#making.ended) reply.tell({ type: 'progress', turn: reply.turn, stage: 'waiting' });
  }

  #next(): void {
    const reply = this.#line.shift();
    this.#making = reply;
    if (!reply) return;
    const left = new AbortController();
    void makeClip(reply, this.#tools).finally(() => left.abort());
    this.#work = whenAborted(reply.gone)
      .then(() => this.#tools.clock.wait(PATIENCE_MS, left.signal))
      .then(() => this.#next());
  }
}
