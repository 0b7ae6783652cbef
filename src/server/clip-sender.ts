import { encodeClipPiece, MAX_PIECE_BYTES } from '../protocol/frames.ts';

/** What pieces of clips need of a WebSocket. */
export type PieceSocket = {
  /** Bytes of any kind that wait in this process. */
  readonly bufferedAmount: number;
  /** Sends one binary message; `sent` is called once it has left this process, or never will. */
  send(message: ArrayBuffer, sent: () => void): void;
};

/** How many bytes of a clip may be on their way: what the network holds is in front of all speech that follows. */
export const CLIP_WINDOW_BYTES = 2 * MAX_PIECE_BYTES;
/** How much of a clip waits at most for a client that takes it slowly; beyond it, it gets the address only. */
export const MAX_WAITING_BYTES = 4 * 1024 * 1024;
/** How many ticks a client may take nothing of what waits for it. */
export const PATIENCE_TICKS = 10;

type Clip = {
  readonly turn: number;
  readonly waiting: Uint8Array[];
  /** Bytes of the clip that are not sent yet. */
  bytes: number;
  sent: number;
  received: number;
  /** Ticks since anything was sent or received. */
  idleTicks: number;
  /** Set once the clip is complete. */
  onSent?: () => void;
};
type State =
  | { readonly is: 'idle' }
  | { readonly is: 'sending'; readonly clip: Clip }
  /** Too much of it waited: its bytes are not sent any more. */
  | { readonly is: 'given up'; readonly turn: number };

/**
 * Sends clips in pieces that never stand before speech: only while nothing waits in the socket, and at most
 * `CLIP_WINDOW_BYTES` beyond what the client has. One clip at a time; the rest of an older one is dropped.
 */
export class ClipSender {
  readonly #socket: PieceSocket;
  #state: State = { is: 'idle' };
  #sequence = 0;

  constructor(socket: PieceSocket) {
    this.#socket = socket;
  }

  /** Bytes that wait here to be sent. */
  get waiting(): number {
    return this.#state.is === 'sending' ? this.#state.clip.bytes : 0;
  }

  /** The clip of a turn begins. */
  begin(turn: number): void {
    this.#leave();
    this.#state = { is: 'sending', clip: { turn, waiting: [], bytes: 0, sent: 0, received: 0, idleTicks: 0 } };
  }

  /** More of the clip of `turn`; false if that clip's bytes are not wanted here, or no more from now on. */
  push(turn: number, bytes: Uint8Array): boolean {
    if (this.#state.is !== 'sending' || this.#state.clip.turn !== turn) return false;
    const { clip } = this.#state;
    if (clip.bytes + bytes.length > MAX_WAITING_BYTES) {
      this.#giveUp(clip);
      return false;
    }
    clip.waiting.push(bytes);
    clip.bytes += bytes.length;
    this.#send();
    return true;
  }

  /** The clip of `turn` is complete: `onSent` is called once its last piece was sent, at once if none will be. */
  end(turn: number, onSent: () => void): void {
    if (this.#state.is !== 'sending' || this.#state.clip.turn !== turn) return onSent();
    this.#state.clip.onSent = onSent;
    this.#send();
  }

  /** The client has so many bytes of the clip of `turn`; false if that says nothing new. */
  received(turn: number, bytes: number): boolean {
    if (this.#state.is !== 'sending' || this.#state.clip.turn !== turn) return false;
    const { clip } = this.#state;
    const before = clip.received;
    clip.received = Math.min(clip.sent, Math.max(before, bytes));
    if (clip.received === before) return false;
    clip.idleTicks = 0;
    this.#send();
    return true;
  }

  /** Something left the socket, so that it may be empty now. */
  drained(): void {
    this.#send();
  }

  /** A second has passed: a client that takes nothing for `PATIENCE_TICKS` of them gets no more of this clip. */
  tick(): void {
    if (this.#state.is !== 'sending') return;
    const { clip } = this.#state;
    if (clip.bytes > 0 && ++clip.idleTicks >= PATIENCE_TICKS) this.#giveUp(clip);
  }

  /** Nothing more of the clip of `turn`, not even that it is complete; of older ones no more than that. */
  drop(turn: number): void {
    if (this.#state.is === 'idle') return;
    const { turn: of } = this.#state.is === 'sending' ? this.#state.clip : this.#state;
    if (of < turn) this.#leave();
    else if (of === turn) this.#state = { is: 'idle' };
  }

  #send(): void {
    while (this.#state.is === 'sending') {
      const { clip } = this.#state;
      const size = Math.min(MAX_PIECE_BYTES, clip.bytes);
      if (size === 0 && !clip.onSent) return;
      if (clip.sent + size - clip.received > CLIP_WINDOW_BYTES || this.#socket.bufferedAmount > 0) return;
      // Which piece is the last is only known when all bytes are there; if it went before, an empty one says so.
      const last = clip.onSent !== undefined && size === clip.bytes;
      const { turn, sent: position } = clip;
      clip.idleTicks = 0;
      const bytes = take(clip, size);
      const message = encodeClipPiece({ sequence: this.#sequence++, turn, position, last, bytes });
      this.#socket.send(message, () => this.drained());
      if (last) this.#leave();
    }
  }

  #giveUp(clip: Clip): void {
    this.#state = { is: 'given up', turn: clip.turn };
    clip.onSent?.();
  }

  #leave(): void {
    const onSent = this.#state.is === 'sending' ? this.#state.clip.onSent : undefined;
    this.#state = { is: 'idle' };
    onSent?.();
  }
}

/** Takes the next `size` bytes out of what waits. */
function take(clip: Clip, size: number): Uint8Array {
  const piece = new Uint8Array(size);
  let filled = 0;
  while (filled < size) {
    const next = clip.waiting[0]!;
    const part = next.subarray(0, size - filled);
    piece.set(part, filled);
    filled += part.length;
    if (part.length === next.length) clip.waiting.shift();
    else clip.waiting[0] = next.subarray(part.length);
  }
  clip.bytes -= size;
  clip.sent += size;
  return piece;
}
