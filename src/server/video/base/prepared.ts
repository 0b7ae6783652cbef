import { type FileHandle, mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type BaseClip, type BaseClipFacts, type Face, type Picture, VIDEO_FPS, VideoError } from '../contracts.ts';
import { nameOfOwn, putFolder } from '../own-folder.ts';
import { FaceTrack, type FindFaces } from './prepared-faces.ts';

/** Pixels of a prepared clip, in width and height. */
export const PREPARED_SIZE = 512;
/** Of a longer video only this much is used. */
export const PREPARED_SECONDS = 10;
/** Changes when prepared clips of before cannot be read any more, or would be made otherwise; part of cache keys. */
export const PREPARED_VERSION = 1;

const FRAMES = 'frames.rgb';
const FACTS = 'clip.json';

type Written = {
  version: number;
  width: number;
  height: number;
  /** How many are in the file. */
  frames: number;
  /** Played forward and then back, because its end does not lead to its beginning. */
  mirrored: boolean;
  faces: readonly Face[];
};

/**
 * Writes frames, all of one size, and where the face is in each, into `folder`, whole or not at all. A frame beyond
 * `PREPARED_SECONDS` is left out; of a clip that does not close, the way back is added when it is read. `onFrame` hears how
 * many are written.
 */
export async function prepareBaseClip(
  frames: AsyncIterable<Picture>,
  folder: string,
  facts: BaseClipFacts,
  findFaces: FindFaces,
  onFrame: (frames: number) => void,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  await mkdir(dirname(folder), { recursive: true });
  // Under a name by which whoever comes next knows that it was left unfinished.
  const scratch = join(dirname(folder), nameOfOwn());
  await mkdir(scratch, { mode: 0o700 });
  let file: FileHandle | undefined;
  try {
    file = await open(join(scratch, FRAMES), 'wx', 0o600);
    const track = new FaceTrack(facts.faces === 'beside' ? undefined : facts.faces, findFaces);
    let first: Picture | undefined;
    let count = 0;
    for await (const picture of frames) {
      signal.throwIfAborted();
      first ??= picture;
      await file.writeFile(picture.rgb);
      await track.take(picture);
      onFrame(++count);
      if (count === PREPARED_SECONDS * VIDEO_FPS) break;
    }
    signal.throwIfAborted();
    await file.close();
    file = undefined;
    if (!first) throw new VideoError('The video has no picture.');
    const { width, height } = first;
    const mirrored = facts.closes === false && count > 2;
    const faces = track.faces();
    const written: Written = { version: PREPARED_VERSION, width, height, frames: count, mirrored, faces };
    await writeFile(join(scratch, FACTS), JSON.stringify(written), { mode: 0o600 });
    await putFolder(scratch, folder);
  } finally {
    await file?.close();
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Opens what `prepareBaseClip` wrote; rejects with a `VideoError` where that is missing, damaged or of another version. */
export async function openBaseClip(folder: string): Promise<BaseClip & AsyncDisposable> {
  let file: FileHandle | undefined;
  try {
    const written = JSON.parse(await readFile(join(folder, FACTS), 'utf8')) as Written;
    file = await open(join(folder, FRAMES), 'r');
    const { size } = await file.stat();
    const whole = size === written.frames * written.width * written.height * 3 && written.frames > 0;
    if (written.version !== PREPARED_VERSION || !whole || written.faces.length !== written.frames) {
      throw new Error('It is damaged or of another version.');
    }
    return new PreparedClip(folder, file, written);
  } catch (cause) {
    await file?.close();
    throw new VideoError(`The prepared clip in ${folder} cannot be read; delete this folder, and it is made again.`, {
      cause,
    });
  }
}

class PreparedClip implements BaseClip, AsyncDisposable {
  readonly folder: string;
  readonly width: number;
  readonly height: number;
  readonly frames: number;
  readonly #file: FileHandle;
  readonly #faces: readonly Face[];
  readonly #stored: number;
  /** The frame that is most likely asked for next is read while the last one is worked on. */
  #ahead: { readonly index: number; readonly picture: Promise<Picture> } | undefined;

  constructor(folder: string, file: FileHandle, { width, height, frames, mirrored, faces }: Written) {
    this.folder = folder;
    this.width = width;
    this.height = height;
    this.#stored = frames;
    this.frames = mirrored ? 2 * frames - 2 : frames;
    this.#file = file;
    this.#faces = faces;
  }

  async picture(index: number): Promise<Picture> {
    const picture = this.#ahead?.index === index ? this.#ahead.picture : this.#read(index);
    const next = (index + 1) % this.frames;
    const ahead = this.#read(next);
    // Whether it is ever wanted is not known: then its error is nobody's.
    ahead.catch(() => {});
    this.#ahead = { index: next, picture: ahead };
    return picture;
  }

  face(index: number): Face {
    return this.#faces[this.#placeOf(index)]!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ahead?.picture.catch(() => {});
    await this.#file.close();
  }

  #placeOf(index: number): number {
    if (!(index >= 0 && index < this.frames)) throw new RangeError(`Frame ${index} of ${this.frames} was asked for.`);
    return index < this.#stored ? index : this.frames - index;
  }

  async #read(index: number): Promise<Picture> {
    const start = this.#placeOf(index) * this.width * this.height * 3;
    const { width, height } = this;
    const rgb = new Uint8Array(width * height * 3);
    let filled = 0;
    while (filled < rgb.length) {
      const { bytesRead } = await this.#file.read(rgb, filled, rgb.length - filled, start + filled);
      if (bytesRead === 0) throw new VideoError('A prepared clip ended early; delete the avatar’s loops folder.');
      filled += bytesRead;
    }
    return { width, height, rgb };
  }
}
