import type { AvatarView, ServerMessage } from '../protocol/messages.ts';
import { ClipSender, type PieceSocket } from './clip-sender.ts';
import type { SessionEvent } from './conversation/session-event.ts';
import type { Logger } from './log.ts';
import type { ClipMetrics } from './metrics.ts';
import { type ClipEvent, type ReplyVideo, VIDEO_FPS } from './video/contracts.ts';

/** The video tier as connections see it. */
export interface VideoTier {
  /** The face that is shown, where it is known already. */
  readonly avatar: AvatarView | undefined;
  /** Why there is no face and will be none; undefined while there may be one. */
  readonly problem?: string | undefined;
  /** Takes the replies of one conversation; undefined while the tier is not up. */
  open(): ReplyVideo | undefined;
  /** Says whether in the conversation `who` the user speaks or a reply plays. */
  talks(talking: boolean, who: object): void;
}

/** What a connection gives to its link. */
export type LinkWorld = {
  readonly tier: VideoTier;
  readonly session: string;
  readonly metrics: Pick<ClipMetrics, 'startSeconds' | 'pieces' | 'bytes'>;
  readonly log: Logger;
  /** Whether the client takes clips in pieces; else it gets their addresses only. */
  readonly pieces: boolean;
  readonly socket: PieceSocket;
  send(message: ServerMessage): void;
};

/** The newest reply whose speech was taken from its beginning on. */
type Reply = { readonly turn: number; readonly since: number; clipCame: boolean };

/**
 * Where a connection and the video tier meet: hands the replies of a session on to the tier once they are on their way
 * to the client, and the tier's clips to the client. Whatever goes wrong in here ends it, and is no matter of the caller's.
 */
export class VideoLink {
  readonly #world: LinkWorld;
  readonly #sender: ClipSender | undefined;
  readonly #closed = new AbortController();
  #video: ReplyVideo | undefined;
  #reply: Reply | undefined;
  #cutTurn: number | undefined;

  constructor(world: LinkWorld) {
    this.#world = world;
    const { pieces, socket, metrics } = world;
    if (pieces) {
      this.#sender = new ClipSender({
        get bufferedAmount() {
          return socket.bufferedAmount;
        },
        send(message, sent) {
          metrics.pieces.inc();
          metrics.bytes.inc(message.byteLength);
          socket.send(message, sent);
        },
      });
    }
  }

  /** Something that the session told was handed to the socket. */
  take(event: SessionEvent): void {
    this.#safely(() => this.#take(event));
  }

  /** The client has so many bytes of a turn's clip; false if that says nothing new. */
  received(turn: number, bytes: number): boolean {
    let isNew = false;
    this.#safely(() => {
      isNew = this.#sender?.received(turn, bytes) ?? false;
    });
    return isNew;
  }

  /** Something left the socket. */
  drained(): void {
    this.#safely(() => this.#sender?.drained());
  }

  /** A second has passed. */
  tick(): void {
    this.#safely(() => this.#sender?.tick());
  }

  /** The socket or the session is gone; twice is fine. */
  close(): void {
    this.#safely(() => {
      this.#closed.abort();
      this.#world.tier.talks(false, this);
      this.#video?.close();
    });
  }

  #take(event: SessionEvent): void {
    switch (event.type) {
      case 'state':
        this.#world.tier.talks(event.state !== 'listening', this);
        return;
      case 'reply_text':
        this.#opened()?.text(event.turn, event.text);
        return;
      case 'speech':
        if (event.position === 0) this.#begin(event.turn);
        if (this.#reply?.turn === event.turn) this.#video?.speech(event.turn, event.samples);
        return;
      case 'reply_done':
        if (this.#reply?.turn === event.turn) this.#video?.end(event.turn);
        return;
      case 'flush':
      case 'cut':
        this.#cut(event.turn);
        return;
      case 'error':
        // What was spoken before an engine failed is still heard, and its `reply_done` follows.
        if (event.turn !== undefined && this.#reply?.turn !== event.turn) this.#video?.cancel(event.turn);
    }
  }

  /** A reply whose beginning went by while the tier was not up gets no clip. */
  #begin(turn: number): void {
    if (!this.#opened()) return;
    this.#reply = { turn, since: performance.now(), clipCame: false };
  }

  #cut(turn: number): void {
    this.#cutTurn = turn;
    this.#video?.cancel(turn);
    this.#sender?.drop(turn);
    this.#reply = undefined;
  }

  #opened(): ReplyVideo | undefined {
    if (!this.#video) {
      this.#video = this.#world.tier.open();
      if (this.#video) void this.#pump(this.#video);
    }
    return this.#video;
  }

  async #pump(video: ReplyVideo): Promise<void> {
    try {
      for await (const event of video.read(this.#closed.signal)) {
        // A cut can fall between an event's making and its arrival here.
        if (!this.#closed.signal.aborted && event.turn !== this.#cutTurn) this.#tell(event);
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  #tell(event: ClipEvent): void {
    const { turn } = event;
    switch (event.type) {
      case 'progress': {
        const { stage, done } = event;
        return this.#world.send({ type: 'clip_progress', turn, stage, ...(done === undefined ? {} : { done }) });
      }
      case 'clip': {
        const { clip, mime, width, height } = event;
        this.#sender?.begin(turn);
        const url = addressOf(clip);
        return this.#world.send({ type: 'speaking_clip', turn, clip, url, mime, width, height, fps: VIDEO_FPS });
      }
      case 'bytes':
        if (this.#reply?.turn === turn && !this.#reply.clipCame) {
          this.#reply.clipCame = true;
          this.#world.metrics.startSeconds.observe((performance.now() - this.#reply.since) / 1000);
        }
        this.#sender?.push(turn, event.bytes);
        return;
      case 'done': {
        const { clip, bytes, seconds } = event;
        const tell = () => this.#world.send({ type: 'clip_done', turn, clip, bytes, seconds, url: addressOf(clip) });
        if (this.#sender) this.#sender.end(turn, tell);
        else tell();
        return;
      }
      case 'failed':
        this.#sender?.drop(turn);
        this.#world.log.warn('a clip could not be made', { session: this.#world.session, turn, why: event.message });
        this.#world.send({ type: 'error', code: 'video_failed', stage: 'video', message: event.message, turn });
    }
  }

  #safely(act: () => void): void {
    try {
      if (!this.#closed.signal.aborted) act();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The rest of the conversation goes on without a face. */
  #fail(error: unknown): void {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort();
    const { tier, log, session } = this.#world;
    log.error('the video tier failed and is off for this connection', { session, why: String(error) });
    try {
      tier.talks(false, this);
      this.#video?.close();
    } catch {
      // It was said that it failed.
    }
  }
}

/** Tells a client why it has no face. */
export const noFace = (message: string): ServerMessage => ({
  type: 'error',
  code: 'video_failed',
  stage: 'video',
  message,
});

const addressOf = (clip: string): string => `/clips/${clip}.mp4`;
