import { createHash, randomBytes } from 'node:crypto';
import { access, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Avatar, type ImportedPicture, VideoError } from '../contracts.ts';
import { systemProblem } from '../system-problem.ts';
import { type AvatarFile, parseAvatarFile } from './avatar-file.ts';
import { type Preset, readPresets } from './presets.ts';
import { writeWhole } from './write-whole.ts';

/** Folder below the store's; rises when entries are written in another way. */
const VERSION = 'v1';
const MAX_NAME = 60;
const ID = /^[0-9a-f]{16}$/;
const REMOVED = 'removed-';

/** Where avatars lie, and which is the first. */
export type AvatarStoreOptions = {
  /** Everything lies below it; made when it is not there. */
  readonly folder: string;
  /** The face as long as none is chosen: a preset's key such as `mara`, or an id; `''` is the first preset. */
  readonly first: string;
  /** Hears of what cannot be read, a sentence each, once. */
  readonly warn: (message: string) => void;
};

/**
 * The avatars on the disk: those that come with the project, and the user's own, each with a folder for all that is made from
 * it. Always reads anew, so that several processes (a server and the command line) can share it.
 */
export class AvatarStore {
  readonly #folder: string;
  readonly #options: AvatarStoreOptions;
  /** Ids and keys, in their order. */
  readonly #presets: ReadonlyMap<string, string>;
  readonly #warned = new Set<string>();

  private constructor(options: AvatarStoreOptions, presets: ReadonlyMap<string, string>) {
    this.#options = options;
    this.#folder = join(options.folder, VERSION);
    this.#presets = presets;
  }

  /** Opens the store and puts the presets into it; rejects with a `VideoError` when the folder cannot be written. */
  static async open(options: AvatarStoreOptions): Promise<AvatarStore> {
    const presets = await readPresets();
    const store = new AvatarStore(options, new Map(presets.map(({ png, key }) => [idOf(png), key])));
    try {
      await mkdir(store.#folder, { recursive: true });
      for (const preset of presets) await store.#keepPreset(preset);
      await store.#sweep();
    } catch (cause) {
      const message = `The avatars' folder ${options.folder} cannot be written; mend its rights or change cache.folder.`;
      throw new VideoError(message, { cause });
    }
    return store;
  }

  /** All of them: presets, then the user's own, the newest last. */
  async list(): Promise<Avatar[]> {
    const ids = (await readdir(this.#folder)).filter((name) => ID.test(name) && !this.#presets.has(name));
    const [presets, own] = await Promise.all(
      [[...this.#presets.keys()], ids].map((some) => Promise.all(some.map((id) => this.#read(id)))),
    );
    const sorted = own!.filter((one) => one !== undefined).sort((a, b) => a.addedMs - b.addedMs);
    return [...presets!.filter((one) => one !== undefined), ...sorted].map(({ avatar }) => avatar);
  }

  /** The avatar with this id, or the preset with this key. */
  async get(id: string): Promise<Avatar | undefined> {
    const known = [...this.#presets].find(([, key]) => key === id)?.[0] ?? id;
    return ID.test(known) ? (await this.#read(known))?.avatar : undefined;
  }

  /** Keeps a picture that was imported; one that is there already gets the new name. */
  async add({ png, face }: Extract<ImportedPicture, { ok: true }>, name: string): Promise<Avatar> {
    const id = idOf(png);
    if (this.#presets.has(id)) return (await this.get(id))!;
    await written(this.#write(id, png, { name: cleaned(name), addedMs: Date.now(), face }));
    return (await this.get(id))!;
  }

  /** Removes one of the user's own and all that was made from it; rejects with a `VideoError` when there is none, or it is a preset. */
  async remove(id: string): Promise<void> {
    const avatar = await this.get(id);
    if (!avatar) throw new VideoError(`There is no avatar ${id}; voice-chat avatar list shows them.`);
    if (avatar.preset) throw new VideoError(`${avatar.name} comes with voice-chat and cannot be removed.`);
    // Gone at once for everybody, however long its clips take to be deleted.
    const gone = join(this.#folder, `${REMOVED}${randomBytes(8).toString('hex')}`);
    await rename(avatar.folder, gone).catch(() => {});
    await rm(gone, { recursive: true, force: true });
  }

  /** The face that was chosen, else that of the options, else the first preset. */
  async current(): Promise<Avatar> {
    const chosen = await readFile(this.#currentFile, 'utf8').catch(() => '');
    for (const id of [chosenId(chosen), this.#options.first, ...this.#presets.keys()]) {
      const avatar = id ? await this.get(id) : undefined;
      if (avatar) return avatar;
      if (id && id === this.#options.first) this.#warn(`There is no avatar "${id}" (video.avatar); taking a preset.`);
    }
    throw new VideoError(`The avatars in ${this.#folder} cannot be read; delete that folder, and start again.`);
  }

  /** Makes this the current face, also after a restart; rejects with a `VideoError` when there is none. */
  async choose(id: string): Promise<Avatar> {
    const avatar = await this.get(id);
    if (!avatar) throw new VideoError(`There is no avatar ${id}; voice-chat avatar list shows them.`);
    await written(writeWhole(this.#currentFile, `${JSON.stringify({ id: avatar.id })}\n`));
    return avatar;
  }

  get #currentFile(): string {
    return join(this.#folder, 'current.json');
  }

  /** Deletes what a process that ended too early had removed. */
  async #sweep(): Promise<void> {
    const gone = (await readdir(this.#folder)).filter((name) => name.startsWith(REMOVED));
    await Promise.all(gone.map((name) => rm(join(this.#folder, name), { recursive: true, force: true })));
  }

  async #keepPreset({ png, name, face }: Preset): Promise<void> {
    const id = idOf(png);
    if (!(await this.#read(id))) await this.#write(id, png, { name, addedMs: 0, face });
  }

  /** The description last: an entry without one is still being written. */
  async #write(id: string, png: Uint8Array, described: AvatarFile): Promise<void> {
    const folder = join(this.#folder, id);
    await mkdir(folder, { recursive: true });
    await writeWhole(join(folder, 'picture.png'), png);
    await writeWhole(join(folder, 'avatar.json'), `${JSON.stringify(described, rounded)}\n`);
  }

  async #read(id: string): Promise<{ avatar: Avatar; addedMs: number } | undefined> {
    const folder = join(this.#folder, id);
    const pictureFile = join(folder, 'picture.png');
    const text = await readFile(join(folder, 'avatar.json'), 'utf8').catch(() => undefined);
    if (text === undefined) return undefined;
    const described = parseAvatarFile(text);
    const isThere = await access(pictureFile).then(
      () => true,
      () => false,
    );
    if (!described || !isThere) {
      // Presets are written anew at every start.
      if (!this.#presets.has(id))
        this.#warn(`The avatar in ${folder} is damaged and left out; delete that folder, or add its picture again.`);
      return undefined;
    }
    const { name, addedMs, face } = described;
    return { avatar: { id, name, preset: this.#presets.has(id), folder, pictureFile, face }, addedMs };
  }

  #warn(message: string): void {
    if (this.#warned.has(message)) return;
    this.#warned.add(message);
    this.#options.warn(message);
  }
}

/** Of the file, not of its pixels: the same photo and crop make the same file, and nothing needs to be decoded. */
const idOf = (png: Uint8Array): string => createHash('sha256').update(VERSION).update(png).digest('hex').slice(0, 16);

/** Hundredths of a pixel are enough. */
const rounded = (_: string, value: unknown): unknown =>
  typeof value === 'number' ? Math.round(value * 100) / 100 : value;

/** What the disk refuses, as a sentence with its fix. */
async function written(writing: Promise<void>): Promise<void> {
  try {
    await writing;
  } catch (cause) {
    const { message } = cause as Error;
    const sentence = systemProblem(message);
    const unknown = `The face could not be kept (${message}); look at the avatars' folder below cache.folder.`;
    throw new VideoError(sentence === message ? unknown : sentence, { cause });
  }
}

function cleaned(name: string): string {
  const plain = name.replace(/[\p{C}\s]+/gu, ' ').trim();
  return [...plain].slice(0, MAX_NAME).join('') || 'My avatar';
}

function chosenId(text: string): string | undefined {
  try {
    const { id } = JSON.parse(text);
    return typeof id === 'string' ? id : undefined;
  } catch {
    return undefined;
  }
}
