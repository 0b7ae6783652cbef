import { createHash } from 'node:crypto';
import { access, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { orAborted } from '../../../../async/or-aborted.ts';
import { fromHalf, toHalf } from '../../../../weights/half.ts';
import { type BaseClip, type Picture, VideoError } from '../../../contracts.ts';
import { removeOrphans } from '../../../own-folder.ts';
import { systemProblem } from '../../../system-problem.ts';
import type { MuseTalkNetworks } from '../networks.ts';
import { FACES_FORMAT, type FacesFile, type FramesFacts, readFaces, writeFaces } from './faces-file.ts';
import { KeptFaces } from './kept-faces.ts';
import { type FaceSettings, type PreparedFace, prepareFace } from './prepare-face.ts';

/** How faces are to be prepared, and by which networks: another `version` makes others. */
export type PreparedFacesSettings = FaceSettings & { readonly version: string };

/** The prepared faces of a base clip, frame by frame. */
export interface PreparedFaces {
  /**
   * The face of frame `index`. Of a clip with a folder all are prepared first, unless they have been; otherwise only this one.
   * Rejects with a `VideoError`, or with the signal's reason once that aborts.
   */
  face(index: number, signal: AbortSignal): Promise<PreparedFace>;
  /**
   * Prepares all frames and keeps their faces in the clip's folder, unless they are there; `onProgress` hears the share that is done,
   * 0 to 1. Rejects as `face` does, also where they cannot be written, and then leaves nothing in the folder.
   */
  prepareAll(onProgress: (done: number) => void, signal: AbortSignal): Promise<void>;
}

/**
 * Opens what is prepared of `base`. In `kept` are faces of before, of clips without a folder above all: give the same one again.
 * Nothing has to be closed.
 */
export async function openFaces(
  base: BaseClip,
  networks: Pick<MuseTalkNetworks, 'pose' | 'latents' | 'parse'>,
  settings: PreparedFacesSettings,
  kept: KeptFaces = new KeptFaces(),
): Promise<PreparedFaces> {
  const faces = new ClipFaces(base, networks, settings, kept);
  await faces.open();
  return faces;
}

class ClipFaces implements PreparedFaces {
  readonly #base: BaseClip;
  readonly #networks: Pick<MuseTalkNetworks, 'pose' | 'latents' | 'parse'>;
  readonly #settings: PreparedFacesSettings;
  readonly #kept: KeptFaces;
  readonly #folder: string | undefined;
  readonly #keys: string[] = [];
  #file: FacesFile | undefined;
  /** The folder cannot be relied on: faces are made when they are asked for. */
  #singly = false;
  #preparing: { readonly done: Promise<void>; readonly signal: AbortSignal } | undefined;

  constructor(
    base: BaseClip,
    networks: Pick<MuseTalkNetworks, 'pose' | 'latents' | 'parse'>,
    settings: PreparedFacesSettings,
    kept: KeptFaces,
  ) {
    this.#base = base;
    this.#networks = networks;
    this.#settings = settings;
    this.#kept = kept;
    this.#folder = base.folder === undefined ? undefined : facesFolder(base.folder, settings);
  }

  async open(): Promise<void> {
    if (this.#folder !== undefined) this.#file = await readFaces(this.#folder, await this.#facts());
  }

  async face(index: number, signal: AbortSignal): Promise<PreparedFace> {
    signal.throwIfAborted();
    while (this.#folder !== undefined && !this.#file && !this.#singly) await this.#prepareOnce(signal);
    const stored = await this.#file?.read(index);
    if (stored) return stored;
    if (this.#file) {
      // Damaged or gone in the middle of a reply, which cannot wait for all of them; the next clip makes them anew.
      this.#file = undefined;
      this.#singly = true;
      await rm(this.#folder!, { recursive: true, force: true }).catch(() => {});
    }
    return this.#make(index, await this.#base.picture(index), signal);
  }

  async prepareAll(onProgress: (done: number) => void, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!this.#file) await this.#keep(await this.#makeAll(onProgress, signal), signal);
    onProgress(1);
  }

  /** All that ask at once share the work; it is begun again where the one for whom it was done has left. */
  async #prepareOnce(signal: AbortSignal): Promise<void> {
    const start = async () => {
      const faces = await this.#makeAll(() => {}, signal);
      await this.#keep(faces, signal).catch(() => {
        // What cannot be kept can still be spoken with.
        signal.throwIfAborted();
        this.#singly = true;
      });
    };
    const preparing = (this.#preparing ??= { done: start().finally(() => (this.#preparing = undefined)), signal });
    try {
      await orAborted(preparing.done, signal);
    } catch (error) {
      if (signal.aborted || !preparing.signal.aborted) throw error;
    }
  }

  async #makeAll(onProgress: (done: number) => void, signal: AbortSignal): Promise<PreparedFace[]> {
    const { frames } = this.#base;
    const faces = new Map<string, PreparedFace>();
    const faceOf: PreparedFace[] = [];
    for (let index = 0; index < frames; index++) {
      signal.throwIfAborted();
      const picture = await this.#base.picture(index);
      const key = this.#key(index, picture);
      const face = faces.get(key) ?? (await this.#make(index, picture, signal));
      faces.set(key, face);
      faceOf.push(face);
      onProgress((index + 1) / (frames + 1));
    }
    return faceOf;
  }

  async #keep(faces: readonly PreparedFace[], signal: AbortSignal): Promise<void> {
    if (this.#folder === undefined) return;
    const facts = await this.#facts();
    try {
      await writeFaces(this.#folder, facts, faces, signal);
    } catch (cause) {
      signal.throwIfAborted();
      throw new VideoError(systemProblem((cause as Error).message), { cause });
    }
    this.#file = await readFaces(this.#folder, facts);
    this.#singly = !this.#file;
    await removeOthers(this.#base.folder!, this.#folder).catch(() => {});
  }

  #make(index: number, picture: Picture, signal: AbortSignal): Promise<PreparedFace> {
    const make = async () => {
      const { box } = this.#base.face(index);
      const face = await prepareFace(this.#networks, picture, box, this.#settings, signal);
      // As they are on the disk, so that a frame looks the same the next time; MuseTalk itself computes with so many bits.
      return { ...face, latents: fromHalf(toHalf(face.latents)) };
    };
    return this.#kept.get(this.#key(index, picture), make, signal);
  }

  async #facts(): Promise<FramesFacts> {
    const { width, height, frames } = this.#base;
    const middle = frames >> 1;
    return { width, height, frames, middle: this.#keys[middle] ?? this.#key(middle, await this.#base.picture(middle)) };
  }

  /** Says everything that a face is made of, so that frames with the same key have the same face. */
  #key(index: number, { width, height, rgb }: Picture): string {
    const { x, y, width: wide, height: high } = this.#base.face(index).box;
    const { version, mask, margin } = this.#settings;
    const facts = [FACES_FORMAT, version, mask, margin, width, height, x, y, wide, high];
    return (this.#keys[index] ??= sha1(JSON.stringify(facts), rgb));
  }
}

/** What the folders of prepared faces begin with. */
const FOLDERS = 'musetalk-';

function facesFolder(folder: string, { version, mask, margin }: PreparedFacesSettings): string {
  return join(folder, `${FOLDERS}${sha1(JSON.stringify([FACES_FORMAT, version, mask, margin])).slice(0, 16)}`);
}

/** Whether the faces of the prepared clip in `folder` have been kept there; whether they can be read is not tried. */
export const hasFaces = (folder: string, settings: PreparedFacesSettings): Promise<boolean> =>
  access(facesFolder(folder, settings)).then(
    () => true,
    () => false,
  );

/** Removes faces of other versions, and what processes that no longer run left unfinished. */
async function removeOthers(folder: string, own: string): Promise<void> {
  const names = await readdir(folder);
  await removeOrphans(folder, new Set(names.filter((name) => name.startsWith(`run-${process.pid}-`))));
  for (const name of names) {
    const path = join(folder, name);
    if (name.startsWith(FOLDERS) && path !== own) await rm(path, { recursive: true, force: true });
  }
}

function sha1(text: string, bytes: Uint8Array = new Uint8Array()): string {
  return createHash('sha1').update(text).update(bytes).digest('hex');
}
