import { type AudioFrame, type ClipPiece, decodeClipPiece, decodeFrame, encodeFrame } from '../protocol/frames.ts';
import { CLOSE, type ClientMessage, PROTOCOL_VERSION, type ServerMessage } from '../protocol/messages.ts';

/** How the connection is; `closed` stays so until `open()` is called, all else mends itself. */
export type ConnectionStatus =
  | { readonly state: 'connecting' }
  | { readonly state: 'ready' }
  | { readonly state: 'waiting'; readonly retryInMs: number; readonly attempt: number }
  | { readonly state: 'closed'; readonly code: number; readonly reason: string };

/** What the page does with what comes. */
export type ConnectionHandlers = {
  onMessage(message: ServerMessage): void;
  onSpeech(frame: AudioFrame): void;
  onClipPiece?(piece: ClipPiece): void;
  onStatus(status: ConnectionStatus): void;
};

/** How clips are to come: in pieces over the socket, or only as addresses. */
export type ClipTransport = 'pieces' | 'url';

/** Where the token of the session lies between two loads of the page. */
export type TokenStore = { get(): string | undefined; set(token: string | undefined): void };

/** The part of a browser's WebSocket that is used. */
export type Socket = Pick<WebSocket, 'binaryType' | 'readyState' | 'bufferedAmount' | 'send' | 'close'> & {
  onopen: unknown;
  onmessage: unknown;
  onclose: unknown;
};

const PING_MS = 15_000;
const FIRST_PING_MS = 1_000;
/** No sign of life for so long means that the server is gone, even if nobody said so. */
const SILENCE_MS = 2 * PING_MS + 5_000;
/** A socket that does not become ready in this time is given up. */
const OPEN_MS = 10_000;
const OPEN = 1;
/** The reason for a drop that the page itself wants. */
const RESTART = 'wanted';

/** How long to wait before attempt `attempt` (from 0): 0.25 s, doubled each time up to 8 s, half of it by `chance`. */
export function retryDelayMs(attempt: number, chance: number): number {
  const longest = Math.min(8_000, 250 * 2 ** attempt);
  return longest / 2 + (chance * longest) / 2;
}

/** The line to the server: says hello, keeps the session by its token, and comes back by itself when it breaks. */
export class Connection {
  readonly #connect: () => Socket;
  readonly #token: TokenStore;
  readonly #handlers: ConnectionHandlers;
  readonly #clips: ClipTransport | undefined;
  #socket: Socket | undefined;
  #ready = false;
  #attempt = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #watch: ReturnType<typeof setInterval> | undefined;
  #first: ReturnType<typeof setTimeout> | undefined;
  #lastSign = 0;
  #pings = new Map<number, number>();
  #pingId = 0;
  #sequence = 0;
  #position = 0;
  /** The last round trip in milliseconds, once there was one. */
  roundTripMs: number | undefined;

  constructor(connect: () => Socket, token: TokenStore, handlers: ConnectionHandlers, clips?: ClipTransport) {
    this.#clips = clips;
    this.#connect = connect;
    this.#token = token;
    this.#handlers = handlers;
  }

  get ready(): boolean {
    return this.#ready;
  }

  /** Connects now, if it is not connected or about to be. */
  open(): void {
    if (this.#socket) return;
    clearTimeout(this.#retry);
    this.#handlers.onStatus({ state: 'connecting' });
    let socket: Socket;
    try {
      socket = this.#connect();
    } catch {
      this.#later();
      return;
    }
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    const timer = setTimeout(() => this.#drop(socket, 1006, 'timeout'), OPEN_MS);
    socket.onopen = () => {
      const token = this.#token.get();
      const clips = this.#clips;
      const hello = { type: 'hello', version: PROTOCOL_VERSION, ...(token && { token }), ...(clips && { clips }) };
      socket.send(JSON.stringify(hello));
    };
    socket.onmessage = (event: { data: unknown }) => {
      this.#lastSign = Date.now();
      if (event.data instanceof ArrayBuffer) this.#takeFrame(event.data);
      else this.#take(JSON.parse(String(event.data)) as ServerMessage, timer);
    };
    socket.onclose = (event: { code: number; reason: string }) => {
      clearTimeout(timer);
      this.#drop(socket, event.code, event.reason);
    };
  }

  /** Sends a message and says whether it could be sent. */
  send(message: ClientMessage): boolean {
    if (!this.#ready || this.#socket?.readyState !== OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** Sends one frame of the microphone. */
  sendMic(samples: Float32Array): void {
    if (!this.#ready || this.#socket?.readyState !== OPEN) return;
    const position = this.#position;
    this.#position += samples.length;
    this.#socket.send(encodeFrame({ kind: 'mic', sequence: this.#sequence++, turn: 0, position, samples }));
  }

  /** Ends the session for good and begins a new one. */
  restart(): void {
    this.send({ type: 'bye' });
    this.#token.set(undefined);
    this.close();
    this.#attempt = 0;
    this.open();
  }

  /** Closes for good; the session is kept by its token. */
  close(): void {
    clearTimeout(this.#retry);
    if (this.#socket) this.#drop(this.#socket, 1000, RESTART);
  }

  #takeFrame(bytes: ArrayBuffer): void {
    const piece = decodeClipPiece(bytes);
    if (piece) return this.#handlers.onClipPiece?.(piece);
    const frame = decodeFrame(bytes);
    if (typeof frame !== 'string' && frame.kind === 'speech') this.#handlers.onSpeech(frame);
  }

  #take(message: ServerMessage, timer: ReturnType<typeof setTimeout>): void {
    if (message.type === 'welcome') {
      clearTimeout(timer);
      this.#token.set(message.token);
      this.#ready = true;
      this.#attempt = 0;
      this.#sequence = this.#position = 0;
      this.#keepAlive();
      this.#handlers.onStatus({ state: 'ready' });
    } else if (message.type === 'pong') {
      const sent = this.#pings.get(message.id);
      this.#pings.delete(message.id);
      if (sent !== undefined) this.roundTripMs = performance.now() - sent;
    }
    this.#handlers.onMessage(message);
  }

  #keepAlive(): void {
    clearInterval(this.#watch);
    clearTimeout(this.#first);
    const ping = () => {
      if (Date.now() - this.#lastSign > SILENCE_MS && this.#socket) return this.#drop(this.#socket, 1006, 'silence');
      this.#pings.clear();
      this.#pings.set(++this.#pingId, performance.now());
      this.send({ type: 'ping', id: this.#pingId });
    };
    this.#watch = setInterval(ping, PING_MS);
    // Not at once: the page is busy then, and would measure itself.
    this.#first = setTimeout(ping, FIRST_PING_MS);
  }

  #drop(socket: Socket, code: number, reason: string): void {
    if (socket !== this.#socket) return;
    this.#socket = undefined;
    this.#ready = false;
    clearInterval(this.#watch);
    clearTimeout(this.#first);
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    if (code === CLOSE.takenOver || code === CLOSE.idle || code === CLOSE.policy || code === CLOSE.tooLarge) {
      this.#handlers.onStatus({ state: 'closed', code, reason });
    } else if (reason !== RESTART) {
      this.#later();
    }
  }

  #later(): void {
    const retryInMs = retryDelayMs(this.#attempt++, Math.random());
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.open(), retryInMs);
    this.#handlers.onStatus({ state: 'waiting', retryInMs, attempt: this.#attempt });
  }
}
