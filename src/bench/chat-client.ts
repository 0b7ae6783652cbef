import { once } from 'node:events';
import { WebSocket } from 'ws';
import { decodeClipPiece, decodeFrame, encodeFrame } from '../protocol/frames.ts';
import { type ClientMessage, PROTOCOL_VERSION, type ServerMessage } from '../protocol/messages.ts';
import { MIC_FRAME, MIC_RATE } from '../protocol/pcm.ts';

type Message<T extends ServerMessage['type']> = Extract<ServerMessage, { type: T }>;
type Waiter = { wants: (message: ServerMessage) => boolean; resolve: (arrived: Arrived<ServerMessage>) => void };

/** A message and when it came, in milliseconds of `performance.now()`. */
export type Arrived<M> = { readonly message: M; readonly at: number };

/** A reply as the client got it. */
export type HeardReply = {
  readonly turn: number;
  readonly chunks: Float32Array[];
  samples: number;
  readonly firstAt: number;
  flushedAt?: number;
  /** How much had left the virtual speaker at the end. */
  played?: number;
};

/**
 * How a client says what its speaker has played: every 100 ms; only once it is flushed or done; or every 100 ms with half of
 * it missing and the rest late, and late after a flush too.
 */
export type Reporting = 'regular' | 'at flush' | 'unreliable';

const SPEAKER_BUFFER_MS = 60;
const REPORT_MS = 100;
/** How late what an unreliable client says can be. */
const LATE_MS = 150;
const PATIENCE_MS = 30_000;

/** The page's part of the protocol without a page: a microphone fed with samples, a speaker that only counts. */
export class ChatClient {
  readonly messages: Arrived<ServerMessage>[] = [];
  readonly replies = new Map<number, HeardReply>();
  welcome!: Message<'welcome'>;
  closed: number | undefined;
  readonly #socket: WebSocket;
  #waiters: Waiter[] = [];
  #mic: NodeJS.Timeout | undefined;
  #micStart = 0;
  #micPosition = 0;
  #sequence = 0;
  #utterances: { samples: Float32Array; at: number }[] = [];
  readonly #reports: NodeJS.Timeout;
  readonly #reporting: Reporting;

  private constructor(socket: WebSocket, reporting: Reporting) {
    this.#socket = socket;
    this.#reporting = reporting;
    socket.binaryType = 'arraybuffer';
    socket.on('message', (data, isBinary) => this.#take(data as Buffer | ArrayBuffer, isBinary));
    socket.on('close', (code) => {
      this.closed = code;
      clearInterval(this.#reports);
      clearInterval(this.#mic);
    });
    this.#reports = setInterval(() => this.#report(), REPORT_MS);
  }

  /**
   * Connects to the server at `url` (http) and says hello, with the token of a former session or without; takes clips as
   * `clips` says, and acknowledges their pieces.
   */
  static async open(
    url: string,
    token?: string,
    reporting: Reporting = 'regular',
    clips?: 'pieces' | 'url',
  ): Promise<ChatClient> {
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/ws/chat`, { origin: url });
    await once(socket, 'open');
    const client = new ChatClient(socket, reporting);
    client.send({
      type: 'hello',
      version: PROTOCOL_VERSION,
      ...(token === undefined ? {} : { token }),
      ...(clips === undefined ? {} : { clips }),
    });
    client.welcome = (await client.next('welcome')).message;
    return client;
  }

  /** How many microphone frames it has sent. */
  get framesSent(): number {
    return this.#sequence;
  }

  send(message: ClientMessage): void {
    this.#socket.send(JSON.stringify(message));
  }

  /** The next message of a type (and turn) that has not come yet. */
  next<T extends ServerMessage['type']>(type: T, turn?: number): Promise<Arrived<Message<T>>> {
    return this.nextThat(
      (message) => message.type === type && (turn === undefined || ('turn' in message && message.turn === turn)),
    ) as Promise<Arrived<Message<T>>>;
  }

  /** The next message that `wants` accepts; rejects when none comes in half a minute. */
  nextThat(wants: (message: ServerMessage) => boolean): Promise<Arrived<ServerMessage>> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${wants} did not come; closed: ${this.closed}`)), PATIENCE_MS);
      this.#waiters.push({
        wants,
        resolve: (arrived) => {
          clearTimeout(timer);
          resolve(arrived);
        },
      });
    });
  }

  /** Starts the microphone: silence in real time (looked after every `everyMs`), until `say` puts speech into it. */
  startMic(everyMs = 4): void {
    this.#micStart = performance.now();
    this.#mic = setInterval(() => {
      const due = Math.floor(((performance.now() - this.#micStart) / 1000) * MIC_RATE);
      while (this.#micPosition + MIC_FRAME <= due) this.#sendFrame();
    }, everyMs);
  }

  /** Stops the microphone: nothing more is sent. */
  stopMic(): void {
    clearInterval(this.#mic);
  }

  /** Speaks into the microphone as soon as it is free; returns when each sample is spoken (`performance.now()`). */
  say(samples: Float32Array): (sample: number) => number {
    const last = this.#utterances.at(-1);
    const free = last ? last.at + last.samples.length : this.#micPosition;
    const at = Math.max(free, this.#micPosition);
    this.#utterances.push({ samples, at });
    return (sample) => this.#micStart + ((at + sample) / MIC_RATE) * 1000;
  }

  /** Sends audio at once, not in real time. */
  sendAudio(samples: Float32Array): void {
    for (let at = 0; at < samples.length; at += MIC_FRAME) this.#send(samples.subarray(at, at + MIC_FRAME));
  }

  /** How many samples of a turn have left the virtual speaker. */
  played(turn: number): number {
    const reply = this.replies.get(turn);
    if (!reply) return 0;
    if (reply.played !== undefined) return reply.played;
    const seconds = (performance.now() - reply.firstAt - SPEAKER_BUFFER_MS) / 1000;
    return Math.max(0, Math.min(reply.samples, Math.floor(seconds * this.welcome.speechRate)));
  }

  close(): void {
    this.#socket.close();
  }

  #sendFrame(): void {
    const frame = new Float32Array(MIC_FRAME);
    for (const { samples, at } of this.#utterances) {
      for (let i = Math.max(0, at - this.#micPosition); i < MIC_FRAME; i++) {
        const sample = samples[this.#micPosition + i - at];
        if (sample === undefined) break;
        frame[i] = sample;
      }
    }
    this.#utterances = this.#utterances.filter(({ samples, at }) => at + samples.length > this.#micPosition);
    this.#send(frame);
  }

  #send(samples: Float32Array): void {
    const sequence = this.#sequence++;
    this.#socket.send(encodeFrame({ kind: 'mic', sequence, turn: 0, position: this.#micPosition, samples }));
    this.#micPosition += samples.length;
  }

  #take(data: Buffer | ArrayBuffer, isBinary: boolean): void {
    const at = performance.now();
    if (isBinary) {
      const piece = decodeClipPiece(data as ArrayBuffer);
      if (piece) {
        const { turn, position, bytes } = piece;
        return this.send({ type: 'clip_received', turn, bytes: position + bytes.length });
      }
      const frame = decodeFrame(data as ArrayBuffer);
      if (typeof frame === 'string') throw new Error(frame);
      const known = this.replies.get(frame.turn);
      const reply = known ?? { turn: frame.turn, chunks: [], samples: 0, firstAt: at };
      reply.chunks.push(frame.samples);
      reply.samples += frame.samples.length;
      this.replies.set(frame.turn, reply);
      return;
    }
    const message = JSON.parse(Buffer.from(data as ArrayBuffer).toString('utf8')) as ServerMessage;
    const arrived = { message, at };
    this.messages.push(arrived);
    if (message.type === 'flush') this.#flush(message.turn, at);
    const ready = this.#waiters.filter(({ wants }) => wants(message));
    this.#waiters = this.#waiters.filter((waiter) => !ready.includes(waiter));
    for (const { resolve } of ready) resolve(arrived);
  }

  #flush(turn: number, at: number): void {
    const reply = this.replies.get(turn);
    const samples = this.played(turn);
    if (reply) Object.assign(reply, { flushedAt: at, played: samples });
    this.#tell({ type: 'played', turn, samples, final: true });
  }

  #report(): void {
    const reply = [...this.replies.values()].at(-1);
    if (!reply || reply.played !== undefined) return;
    const samples = this.played(reply.turn);
    const done = this.messages.some(({ message }) => message.type === 'reply_done' && message.turn === reply.turn);
    const final = done && samples >= reply.samples;
    if (final) reply.played = samples;
    if (!final && (samples === 0 || this.#reporting === 'at flush')) return;
    if (!final && this.#reporting === 'unreliable' && Math.random() < 0.5) return;
    this.#tell({ type: 'played', turn: reply.turn, samples, ...(final ? { final } : {}) });
  }

  #tell(played: Extract<ClientMessage, { type: 'played' }>): void {
    if (this.#reporting !== 'unreliable') return this.send(played);
    setTimeout(() => this.#socket.readyState === this.#socket.OPEN && this.send(played), Math.random() * LATE_MS);
  }
}
