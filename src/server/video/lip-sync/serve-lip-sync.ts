import { setImmediate as turn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { constants, deflateRaw } from 'node:zlib';
import { readPcm16 } from '../../../protocol/pcm.ts';
import { abortable } from '../../async/abortable.ts';
import { Queue } from '../../async/queue.ts';
import { type BaseClip, type Face, type LipSync, type Picture, VIDEO_FPS, VideoError } from '../contracts.ts';
import type { PictureCache } from './picture-cache.ts';
import {
  type AskMessage,
  askMessage,
  type LendMessage,
  LIP_SYNC_VERSION,
  otherVersion,
  parsed,
  patchMessage,
  pictureHash,
  readAskBytes,
} from './remote-messages.ts';
import { changed, difference } from './remote-region.ts';

const deflate = promisify(deflateRaw);

/** Speech that may wait to be spoken; the other end keeps to less. */
const MAX_WAITING_SECONDS = 30;
/** Pictures of one base clip; of ours the largest takes 392 MB. */
const MAX_CLIP_BYTES = 2 ** 29;
/** How far beside the picture a face may reach, in its sides: what is further away would take a mouth of any size. */
const BESIDE = 1;

/** A message of the lip-sync protocol: JSON, or bytes. */
export type LipSyncMessage = string | Uint8Array;

/**
 * Lends `lipSync` to another voice-chat for one speech (see `createRemoteLipSync`): what that one says comes as `messages`, what it
 * is to hear goes out. Pictures that were sent once are kept in `pictures` for later speeches. Ends when the speech is served, when
 * something was wrong, which it says, with the messages, or once `signal` aborts.
 */
export async function* serveLipSync(
  lipSync: LipSync,
  pictures: PictureCache,
  messages: AsyncIterable<LipSyncMessage>,
  signal: AbortSignal,
): AsyncGenerator<LipSyncMessage, void, undefined> {
  const leaving = new AbortController();
  const gone = AbortSignal.any([signal, leaving.signal]);
  const answers = new Queue<LipSyncMessage>();
  const serving = new Serving(answers, lipSync, pictures, gone);
  const listen = async () => {
    for await (const message of abortable(messages, gone)) serving.hear(message);
  };
  const leave = () => {
    leaving.abort();
    answers.end();
  };
  void Promise.race([serving.done, listen()])
    .catch((error: unknown) => serving.tell({ type: 'error', message: sentenceOf(error) }))
    .finally(leave);
  try {
    yield* answers;
  } finally {
    leave();
  }
}

const sentenceOf = (error: unknown): string =>
  error instanceof VideoError ? error.message : 'The lip-sync of the other voice-chat failed; its log says why.';

/** A base clip whose pictures come over the network, each when it is asked for. */
type Clip = {
  readonly rate: number;
  readonly width: number;
  readonly height: number;
  readonly frames: number;
  readonly faces: Face[];
  readonly pictures: Awaited[];
};

/** A picture that is there, or will be. */
type Awaited = { readonly came: Promise<Uint8Array>; come(rgb: Uint8Array): void };

type Arriving = { readonly hash: string; readonly rgb: Uint8Array; filled: number };

class Serving {
  readonly done: Promise<void>;
  readonly #answers: Queue<LipSyncMessage>;
  readonly #lipSync: LipSync;
  readonly #cache: PictureCache;
  readonly #signal: AbortSignal;
  readonly #speech = new Queue<Float32Array>();
  readonly #announced = new Set<number>();
  readonly #arriving = new Map<number, Arriving>();
  #clip: Clip | undefined;
  #greeted = false;
  #samples = 0;
  #frames = 0;
  #finish!: () => void;
  #fail!: (error: unknown) => void;

  constructor(answers: Queue<LipSyncMessage>, lipSync: LipSync, cache: PictureCache, signal: AbortSignal) {
    this.#answers = answers;
    this.#lipSync = lipSync;
    this.#cache = cache;
    this.#signal = signal;
    this.done = new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
  }

  tell(message: LendMessage): void {
    this.#answers.push(JSON.stringify(message));
  }

  hear(message: LipSyncMessage): void {
    if (typeof message === 'string') this.#message(parsed(askMessage, message));
    else this.#bytes(message);
  }

  #message(message: AskMessage | undefined): void {
    if (!message)
      throw new VideoError(
        'The other voice-chat sent a message that this lip-sync does not know; install the same version on both.',
      );
    if (message.type === 'start') return this.#greet(message.version);
    if (!this.#greeted) throw new VideoError('A lip-sync begins with a start message.');
    if (message.type === 'clip') return this.#begin(message);
    const clip = this.#clip;
    if (!clip) throw new VideoError('A lip-sync needs to know its clip first.');
    if (message.type === 'end') return this.#speech.end();
    if (message.type === 'picture') return this.#picture(clip, message.index, message.hash);
    const { from, faces } = message;
    if (from !== clip.faces.length || faces.length === 0 || from + faces.length > clip.frames) {
      throw new VideoError('A lip-sync needs one face for each frame, in order.');
    }
    if (!faces.every((face) => isNear(face, clip))) {
      throw new VideoError('A face was sent that lies far beside its picture; install the same version on both.');
    }
    clip.faces.push(...faces);
    if (clip.faces.length === clip.frames) this.#speak(clip).then(this.#finish, this.#fail);
  }

  #bytes(message: Uint8Array): void {
    const piece = readAskBytes(message);
    const clip = this.#clip;
    if (!piece || !clip)
      throw new VideoError(
        'The other voice-chat sent bytes that this lip-sync does not know; install the same version on both.',
      );
    if (piece.kind === 'speech') {
      const samples = readPcm16(piece.pcm, 0);
      this.#samples += samples.length;
      if (this.#samples / clip.rate - this.#frames / VIDEO_FPS > MAX_WAITING_SECONDS) {
        throw new VideoError(`No more than ${MAX_WAITING_SECONDS} s of speech may wait for a lip-sync.`);
      }
      return this.#speech.push(samples);
    }
    const arriving = this.#arriving.get(piece.index);
    if (!arriving || piece.offset !== arriving.filled || piece.offset + piece.bytes.length > arriving.rgb.length) {
      throw new VideoError('A picture came that this lip-sync did not ask for, or not in order.');
    }
    arriving.rgb.set(piece.bytes, piece.offset);
    arriving.filled += piece.bytes.length;
    if (arriving.filled === arriving.rgb.length) this.#arrived(clip, piece.index, arriving);
  }

  #greet(version: number): void {
    this.tell({ type: 'ready', version: LIP_SYNC_VERSION });
    if (version !== LIP_SYNC_VERSION) throw new VideoError(otherVersion(version, LIP_SYNC_VERSION));
    this.#greeted = true;
  }

  #begin({ rate, width, height, frames }: Extract<AskMessage, { type: 'clip' }>): void {
    if (this.#clip) throw new VideoError('A lip-sync has one clip; open another connection for the next.');
    if (3 * width * height * frames > MAX_CLIP_BYTES) {
      throw new VideoError('The base clip is too large to be lent a lip-sync; make it shorter or smaller.');
    }
    this.#clip = { rate, width, height, frames, faces: [], pictures: Array.from({ length: frames }, awaited) };
  }

  #picture(clip: Clip, index: number, hash: string): void {
    const slot = clip.pictures[index];
    if (!slot) throw new VideoError('A picture was announced beyond the end of the clip.');
    if (this.#announced.has(index)) throw new VideoError('A picture was announced twice.');
    this.#announced.add(index);
    const size = 3 * clip.width * clip.height;
    const known = this.#cache.get(hash);
    if (known?.length === size) return slot.come(known);
    this.#arriving.set(index, { hash, rgb: new Uint8Array(size), filled: 0 });
    this.tell({ type: 'need', index });
  }

  #arrived(clip: Clip, index: number, { hash, rgb }: Arriving): void {
    this.#arriving.delete(index);
    if (hash !== pictureHash(rgb)) throw new VideoError('A picture arrived damaged; try again.');
    this.#cache.set(hash, rgb);
    clip.pictures[index]!.come(rgb);
  }

  async #speak(clip: Clip): Promise<void> {
    const { width, height, frames, faces, pictures } = clip;
    const base: BaseClip = {
      width,
      height,
      frames,
      picture: async (index) => ({ width, height, rgb: (await pictures[index]!.came).slice() }),
      face: (index) => faces[index]!,
    };
    for await (const picture of this.#lipSync.frames(base, this.#speech, clip.rate, this.#signal)) {
      await this.#give(picture, await pictures[this.#frames % frames]!.came);
      if (this.#signal.aborted) return;
      this.#frames++;
    }
    this.tell({ type: 'done', frames: this.#frames });
  }

  /** Resolves a turn of the event loop later: a long speech must not keep its process from hearing a cancel. */
  async #give(picture: Picture, rgb: Uint8Array): Promise<void> {
    const box = changed(rgb, picture.rgb, picture.width);
    const values = difference({ ...picture, rgb }, picture, box);
    const deflated = await deflate(values, { level: constants.Z_BEST_SPEED });
    this.#answers.push(patchMessage({ frame: this.#frames, box, deflated }));
    await turn();
  }
}

function isNear({ box, outerLips, innerLips, leftEye, rightEye, jaw }: Face, { width, height }: Clip): boolean {
  const corners = [box, { x: box.x + box.width, y: box.y + box.height }];
  return [...corners, ...outerLips, ...innerLips, ...leftEye, ...rightEye, ...jaw].every(
    ({ x, y }) =>
      x >= -BESIDE * width && x <= (1 + BESIDE) * width && y >= -BESIDE * height && y <= (1 + BESIDE) * height,
  );
}

function awaited(): Awaited {
  let come!: (rgb: Uint8Array) => void;
  const came = new Promise<Uint8Array>((resolve) => {
    come = resolve;
  });
  return { came, come };
}
