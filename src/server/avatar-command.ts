import { readFile, stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { avatarsFolder } from './avatars-folder.ts';
import { type Config, ConfigError } from './config.ts';
import { readCrop } from './read-crop.ts';
import { AvatarStore } from './video/avatars/avatar-store.ts';
import { frameFace } from './video/avatars/frame-face.ts';
import { importPicture } from './video/avatars/import-picture.ts';
import { type Crop, type ImportedPicture, VideoError } from './video/contracts.ts';
import { PICTURE_LIMITS } from './video/pictures/read-picture.ts';

/** What `voice-chat avatar` was called with, and where it writes. */
export type AvatarContext = {
  readonly config: Config;
  readonly json: boolean;
  /** Of `add`: what the avatar is called (else as its file), and `x,y,size` of the part to take. */
  readonly name: string | undefined;
  readonly crop: string | undefined;
  /** Where the answer goes, and what is not part of it. */
  readonly output?: { write(text: string): unknown };
  readonly screen?: { write(text: string): unknown };
};

type Ready = Pick<AvatarContext, 'config' | 'json' | 'name' | 'crop'> & {
  readonly store: AvatarStore;
  readonly print: (line: string) => void;
  readonly say: (line: string) => void;
};

/**
 * `voice-chat avatar [list | add FILE | remove ID | use ID]`; answers the exit code: 0 fine, 1 it did not work. Throws
 * `ConfigError` for a command that does not exist, and `VideoError`.
 */
export async function avatarCommand(
  args: readonly string[],
  context: AvatarContext,
  signal: AbortSignal,
): Promise<number> {
  const { config, json, name, crop, output = process.stdout, screen = process.stderr } = context;
  const [action = 'list', one, ...more] = args;
  if (action !== 'add' && (name ?? crop) !== undefined)
    throw new ConfigError('--name and --crop belong to voice-chat avatar add.');
  const wants = { list: undefined, add: 'the file of a picture', remove: 'an avatar', use: 'an avatar' }[action];
  if (!['list', 'add', 'remove', 'use'].includes(action))
    throw new ConfigError(`There is no command "avatar ${action}"; there are list, add, remove and use.`);
  if (wants && one === undefined) throw new ConfigError(`Name ${wants}: voice-chat avatar ${action} …`);
  const extra = wants ? more : [one, ...more].filter((word) => word !== undefined);
  if (extra.length > 0) throw new ConfigError(`What is "${extra.join(' ')}"? See voice-chat --help.`);
  const say = (line: string) => void screen.write(`${line}\n`);
  const print = (line: string) => void output.write(`${line}\n`);
  const first = config.video.avatar;
  const store = await AvatarStore.open({ folder: avatarsFolder(config), first, warn: say });
  const ready: Ready = { config, json, name, crop, store, print, say };
  switch (action) {
    case 'add':
      return add(ready, one!, signal);
    case 'remove':
      return remove(ready, one!);
    case 'use':
      return use(ready, one!);
    default:
      return list(ready);
  }
}

async function list({ json, store, print }: Ready): Promise<number> {
  const [all, current] = [await store.list(), await store.current()];
  const rows = all.map(({ id, name, preset, pictureFile }) => ({
    id,
    name,
    preset,
    current: id === current.id,
    picture: pictureFile,
  }));
  if (json) print(JSON.stringify({ avatars: rows }));
  else
    for (const row of rows) print(`${row.current ? '*' : ' '} ${row.id}  ${row.name}${row.preset ? '' : ' (yours)'}`);
  return 0;
}

async function add({ json, store, print, say, ...given }: Ready, file: string, signal: AbortSignal): Promise<number> {
  const imported = await importPicture(await readBytes(file), cropOf(given.crop), signal);
  if (!imported.ok) {
    const { ok: _, ...why } = imported;
    if (json) print(JSON.stringify(why));
    else for (const line of explain(imported, file)) say(line);
    return 1;
  }
  const avatar = await store.choose((await store.add(imported, given.name ?? basename(file, extname(file)))).id);
  const { id, name, pictureFile } = avatar;
  if (json) print(JSON.stringify({ id, name, picture: pictureFile }));
  else print(`${name} (${id}) is the face from the next start on; its picture is ${pictureFile}`);
  return 0;
}

async function remove({ json, store, print }: Ready, wanted: string): Promise<number> {
  await store.remove(wanted);
  const { id, name } = await store.current();
  if (json) print(JSON.stringify({ removed: wanted, current: id }));
  else print(`${wanted} is removed; the face is ${name} (${id})`);
  return 0;
}

async function use({ json, store, print }: Ready, wanted: string): Promise<number> {
  const { id, name } = await store.choose(wanted);
  if (json) print(JSON.stringify({ id, name }));
  else print(`${name} (${id}) is the face from the next start on`);
  return 0;
}

/** What a user can do: the part to take, for each face, ready to be pasted. */
function explain({ message, width, height, faces }: Extract<ImportedPicture, { ok: false }>, file: string): string[] {
  if (!width || !height || !faces || faces.length === 0) {
    return width ? [message, 'Take a square with --crop x,y,size: shares of width, height and width.'] : [message];
  }
  if (faces.length === 1) return [message];
  const crops = faces.map((face) => {
    const { left, top, side } = frameFace(face, width, height);
    const shares = [left / width, top / height, side / width];
    const crop = shares.map((share) => Math.min(Math.max(share, 0), 1).toFixed(3)).join(',');
    return `  voice-chat avatar add ${quoted(file)} --crop ${crop}`;
  });
  return [message, 'One of these, from the largest face to the smallest:', ...crops];
}

function cropOf(text: string | undefined): Crop | undefined {
  if (text === undefined) return undefined;
  const crop = readCrop(text);
  if (crop) return crop;
  throw new ConfigError(
    `--crop ${text} is no part of a picture; give x,y,size from 0 to 1: shares of width, height and width.`,
  );
}

/** As a shell wants it. */
const quoted = (file: string): string => (/^[\w./~+:@%,-]+$/.test(file) ? file : `'${file.replaceAll("'", `'\\''`)}'`);

async function readBytes(file: string): Promise<Uint8Array> {
  try {
    if ((await stat(file)).size > PICTURE_LIMITS.bytes)
      throw new VideoError(`${file} has more than ${PICTURE_LIMITS.bytes / 2 ** 20} MiB; save the picture smaller.`);
    return await readFile(file);
  } catch (cause) {
    if (cause instanceof VideoError) throw cause;
    throw new VideoError(`The file ${file} cannot be read; look at its name and its rights.`, { cause });
  }
}
