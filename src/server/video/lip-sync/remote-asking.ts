import type { RawData, WebSocket } from 'ws';
import { writePcm16 } from '../../../protocol/pcm.ts';
import { abortable } from '../../async/abortable.ts';
import { Queue } from '../../async/queue.ts';
import { type BaseClip, type Box, VIDEO_FPS, VideoError } from '../contracts.ts';
import { mapFace } from '../faces/map-face.ts';
import { cutBox } from '../pictures/cut-box.ts';
import { Pace } from './pace.ts';
import {
  type AskMessage,
  type LendMessage,
  LIP_SYNC_VERSION,
  lendMessage,
  otherVersion,
  type Patch,
  PICTURE_PIECE_BYTES,
  parsed,
  pictureHash,
  pictureMessage,
  readPatch,
  speechMessage,
} from './remote-messages.ts';
import { faceRegion } from './remote-region.ts';

/** How far speech (seconds) and pictures (frames) run ahead of the frames that were taken. */
const SPEECH_AHEAD = 4;
const PICTURES_AHEAD = 25;
/** What a lip-sync may want before it gives a frame: seconds of sound beyond it, and pictures. */
const MOST_LOOK_AHEAD = 2;
const MOST_PICTURES = 16;
const FACES_AT_A_TIME = 20;
const PIECES_PER_SECOND = 5;

/** One speech that the voice-chat at the other end of `socket` puts into the faces of `base`. */
export class Asking {
  /** What changes in each frame's `region`, in order; fails with a `VideoError`. */
  readonly patches = new Queue<Patch>();
  readonly region: Box;
  readonly #socket: WebSocket;
  readonly #where: string;
  readonly #base: BaseClip;
  readonly #rate: number;
  readonly #patienceMs: number;
  readonly #taken = new Pace();
  readonly #ready = new Pace();
  #timer: NodeJS.Timeout | undefined;
  #announced = 0;
  /** Of the announced pictures those that the other end has not asked for; each is sent once. */
  readonly #unsent = new Set<number>();
  #samples = 0;
  #received = 0;
  #said = false;
  #over = false;

  /** `where` is the other's address, for errors; it may be silent for `patienceMs` while something is expected of it. */
  constructor(socket: WebSocket, where: string, base: BaseClip, rate: number, patienceMs: number) {
    this.#socket = socket;
    this.#where = where;
    this.#base = base;
    this.#rate = rate;
    this.#patienceMs = patienceMs;
    this.region = faceRegion(base);
    socket.on('message', (data: RawData, isBinary: boolean) => this.#hear(data as Buffer, isBinary));
    socket.on('close', (_code, reason: Buffer) => this.fail(new VideoError(this.#left(reason.toString()))));
  }

  /** Sends all that the other end needs, until `signal` aborts. */
  async ask(speech: AsyncIterable<Float32Array>, signal: AbortSignal): Promise<void> {
    try {
      await this.#tell({ type: 'start', version: LIP_SYNC_VERSION });
      if (!(await this.#ready.reaches(1))) return;
      const { frames } = this.#base;
      const { width, height } = this.region;
      await this.#tell({ type: 'clip', rate: this.#rate, width, height, frames });
      for (let from = 0; from < frames; from += FACES_AT_A_TIME) {
        const length = Math.min(FACES_AT_A_TIME, frames - from);
        const faces = Array.from({ length }, (_, i) =>
          mapFace(this.#base.face(from + i), 1, -this.region.x, -this.region.y),
        );
        await this.#tell({ type: 'faces', from, faces });
      }
      await Promise.all([this.#announce(), this.#say(speech, signal)]);
    } catch (error) {
      this.fail(error);
    }
  }

  /** One more frame was taken. */
  took(): void {
    this.#taken.step();
  }

  fail(error: unknown): void {
    this.patches.fail(error);
    this.end();
  }

  end(): void {
    this.#over = true;
    this.#taken.close();
    this.#ready.close();
    clearTimeout(this.#timer);
  }

  async #announce(): Promise<void> {
    for (let index = 0; index < this.#base.frames; index++) {
      if (!(await this.#taken.reaches(index - PICTURES_AHEAD))) return;
      const hash = pictureHash(cutBox(await this.#base.picture(index), this.region).rgb);
      this.#unsent.add(index);
      await this.#tell({ type: 'picture', index, hash });
      this.#announced++;
    }
  }

  async #say(speech: AsyncIterable<Float32Array>, signal: AbortSignal): Promise<void> {
    const length = Math.ceil(this.#rate / PIECES_PER_SECOND);
    for await (const chunk of abortable(speech, signal)) {
      for (let at = 0; at < chunk.length; at += length) {
        const ahead = Math.floor((this.#samples / this.#rate - SPEECH_AHEAD) * VIDEO_FPS);
        if (!(await this.#taken.reaches(ahead))) return;
        const samples = chunk.subarray(at, at + length);
        const { message, view, offset } = speechMessage(2 * samples.length);
        writePcm16(samples, view, offset);
        this.#samples += samples.length;
        await this.#send(message);
      }
    }
    if (signal.aborted) return;
    this.#said = true;
    await this.#tell({ type: 'end' });
  }

  async #show(index: number): Promise<void> {
    const { rgb } = cutBox(await this.#base.picture(index), this.region);
    for (let at = 0; at < rgb.length; at += PICTURE_PIECE_BYTES) {
      if (this.#over) return;
      await this.#send(pictureMessage(index, at, rgb.subarray(at, at + PICTURE_PIECE_BYTES)));
    }
  }

  #hear(data: Buffer, isBinary: boolean): void {
    if (this.#over) return;
    if (!isBinary) this.#obey(parsed(lendMessage, data.toString()));
    else {
      const patch = readPatch(data);
      // More frames than there is speech would fill the memory.
      const isSpoken = this.#received < Math.ceil((this.#samples * VIDEO_FPS) / this.#rate);
      if (patch?.frame !== this.#received || !isSpoken) this.#misunderstood();
      else {
        this.#received++;
        this.patches.push(patch);
      }
    }
    this.#watch();
  }

  #obey(message: LendMessage | undefined): void {
    switch (message?.type) {
      case 'ready':
        if (message.version === LIP_SYNC_VERSION) return this.#ready.step();
        return this.fail(new VideoError(otherVersion(LIP_SYNC_VERSION, message.version)));
      case 'need':
        if (!this.#unsent.delete(message.index)) return this.#misunderstood();
        this.#show(message.index).catch((error) => this.fail(error));
        return;
      case 'error':
        return this.fail(new VideoError(message.message));
      case 'done':
        if (!this.#said || message.frames !== this.#due()) return this.#misunderstood();
        this.patches.end();
        return this.end();
      default:
        return this.#misunderstood();
    }
  }

  #misunderstood(): void {
    this.fail(new VideoError(`${this.#other()} answered what was not asked; install the same version on both.`));
  }

  #due(): number {
    if (this.#said) return Math.ceil((this.#samples * VIDEO_FPS) / this.#rate);
    return Math.floor((this.#samples / this.#rate - MOST_LOOK_AHEAD) * VIDEO_FPS);
  }

  /** Whether it is the other end's turn: for its greeting, for a frame, or for its last word. */
  #expects(): boolean {
    if (this.#ready.count === 0) return true;
    const shown = this.#announced === this.#base.frames ? Number.POSITIVE_INFINITY : this.#announced - MOST_PICTURES;
    const due = Math.min(this.#due(), shown);
    return this.#received < due || (this.#said && this.#received === this.#due());
  }

  #watch(): void {
    clearTimeout(this.#timer);
    if (this.#over || !this.#expects()) return;
    const late = () => {
      const seconds = Math.round(this.#patienceMs / 100) / 10;
      this.fail(new VideoError(`${this.#other()} has not answered for ${seconds} s; look at its log. ${OR_ELSE}`));
    };
    this.#timer = setTimeout(late, this.#patienceMs);
  }

  #tell(message: AskMessage): Promise<void> {
    return this.#send(JSON.stringify(message));
  }

  /** Resolves when it has left this process: a slow line slows the sender down. */
  async #send(message: string | Uint8Array): Promise<void> {
    if (this.#over) return;
    const sent = new Promise<void>((resolve) => this.#socket.send(message, () => resolve()));
    this.#watch();
    await sent;
  }

  #left(reason: string): string {
    if (reason !== '') return `${this.#other()} ended it: ${reason} ${OR_ELSE}`;
    return `${this.#other()} went away; look at its log. ${OR_ELSE}`;
  }

  #other(): string {
    return `The voice-chat at ${this.#where}, which lends its lip-sync,`;
  }
}

const OR_ELSE = 'Without it, set video.lipSync.engine to visemes.';
