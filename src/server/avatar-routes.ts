import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AvatarView } from '../protocol/messages.ts';
import { answerFile, type Route } from './file-answer.ts';
import { readCrop } from './read-crop.ts';
import type { AvatarStore } from './video/avatars/avatar-store.ts';
import { type Avatar, type Crop, type ImportedPicture, VideoError } from './video/contracts.ts';
import { PICTURE_LIMITS } from './video/pictures/read-picture.ts';

/** What the addresses of avatars need of the video tier. */
export type AvatarWorld = {
  readonly store: AvatarStore;
  /** The face as the page is told of it. */
  readonly view: () => AvatarView | undefined;
  /** Shows another face from now on. */
  readonly show: (avatar: Avatar) => Promise<void>;
  readonly importPicture: (bytes: Uint8Array, crop: Crop | undefined, signal: AbortSignal) => Promise<ImportedPicture>;
};

type Asked = { readonly request: IncomingMessage; readonly response: ServerResponse; readonly url: URL };

/** How many uploads are on their way, and whether a picture is being imported. */
type Work = { uploads: number; importing: boolean };

const MAX_JSON_BYTES = 4 * 1024;
/** An answer in the middle of an upload is one that browsers do not read: a little too much is taken and dropped. */
const MAX_DROPPED_BYTES = 64 * 1024 * 1024;
/** Uploads at the same time, each of which takes its size in memory. */
const MAX_UPLOADS = 4;
const BUSY = { message: 'Another picture is being read; try again in a few seconds.' };
const STATUS = { format: 415, too_large: 413, damaged: 422, too_small: 422, no_face: 422, several_faces: 422 } as const;

/**
 * The addresses of avatars. GET `/api/avatar` gives `{avatar?, avatars: {id, name, preset, picture}[]}`; PUT there takes a
 * picture (`?name=…&crop=x,y,size`) or `{"id": …}`, shows that face and gives `{avatar}`; DELETE `/api/avatars/ID` gives the
 * `{avatar}` that is shown then; GET `/avatars/ID/picture.png`. Refusals are `{message}`; of a picture also `{problem, width?,
 * height?, faces?}`. One picture is imported at a time, a few may be on their way.
 */
export function avatarRoutes(world: AvatarWorld): Route {
  const work: Work = { uploads: 0, importing: false };
  return async (request, response, url) => {
    const asked = { request, response, url };
    if (url.pathname === '/api/avatar') {
      if (request.method === 'PUT') await put(asked, world, work);
      else if (request.method === 'GET' || request.method === 'HEAD') await list(asked, world);
      else refuseMethod(asked, 'GET, HEAD, PUT');
      return true;
    }
    const [, kind, id] = /^\/(api\/avatars|avatars)\/([0-9a-f]{16})(?:\/picture\.png)?$/.exec(url.pathname) ?? [];
    const isPicture = url.pathname.endsWith('/picture.png');
    if (kind === 'api/avatars' && id && !isPicture) {
      if (request.method === 'DELETE') await remove(asked, world, id);
      else refuseMethod(asked, 'DELETE');
      return true;
    }
    if (kind !== 'avatars' || !id || !isPicture) return false;
    const avatar = await world.store.get(id);
    if (!avatar) return false;
    return answerFile(request, response, { file: avatar.pictureFile, type: 'image/png', immutable: true });
  };
}

async function list(asked: Asked, { store, view }: AvatarWorld): Promise<void> {
  const avatars = (await store.list()).map(({ id, name, preset }) => ({ id, name, preset, picture: pictureOf(id) }));
  const avatar = view();
  answer(asked, 200, { ...(avatar && { avatar }), avatars });
}

async function put(asked: Asked, world: AvatarWorld, work: Work): Promise<void> {
  const type = asked.request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type === 'application/json') return choose(asked, world);
  const wanted = asked.url.searchParams.get('crop');
  const crop = wanted === null ? undefined : readCrop(wanted);
  if (wanted !== null && !crop) {
    const message = 'crop must be three numbers from 0 to 1, x,y,size: shares of width, height and width.';
    return answer(asked, 400, { message });
  }
  if (work.uploads >= MAX_UPLOADS) return answer(asked, 503, BUSY);
  work.uploads++;
  try {
    await addPicture(asked, world, work, crop);
  } catch (error) {
    // Whoever left in the middle of an upload hears no answer.
    if (asked.request.complete || !asked.request.destroyed) throw error;
  } finally {
    work.uploads--;
  }
}

async function addPicture(asked: Asked, world: AvatarWorld, work: Work, crop: Crop | undefined): Promise<void> {
  const bytes = await readBody(asked.request, PICTURE_LIMITS.bytes);
  if (!bytes) {
    const most = PICTURE_LIMITS.bytes / 2 ** 20;
    const message = `The file has more than ${most} MiB; save the picture smaller.`;
    return answer(asked, 413, { problem: 'too_large', message });
  }
  // Not before the whole file is here: an upload that never ends must keep nobody from theirs.
  if (work.importing) return answer(asked, 503, BUSY);
  work.importing = true;
  const left = new AbortController();
  asked.response.once('close', () => left.abort());
  try {
    const imported = await world.importPicture(bytes, crop, left.signal);
    if (!imported.ok) {
      const { ok: _, ...why } = imported;
      return answer(asked, STATUS[imported.problem], why);
    }
    const avatar = await world.store.add(imported, asked.url.searchParams.get('name') ?? '');
    await showAndAnswer(asked, world, await world.store.choose(avatar.id));
  } catch (error) {
    if (left.signal.aborted) return;
    if (!(error instanceof VideoError)) throw error;
    answer(asked, 503, { message: error.message });
  } finally {
    work.importing = false;
  }
}

async function choose(asked: Asked, world: AvatarWorld): Promise<void> {
  const bytes = await readBody(asked.request, MAX_JSON_BYTES);
  const id = bytes && idIn(Buffer.from(bytes).toString());
  if (id === undefined) {
    const message = 'Send a picture (PNG, JPEG or WebP), or {"id": …} of an avatar that is there.';
    return answer(asked, 400, { message });
  }
  const avatar = await world.store.get(id);
  if (!avatar) return answer(asked, 404, { message: 'This avatar is not there any more; choose another.' });
  try {
    await showAndAnswer(asked, world, await world.store.choose(avatar.id));
  } catch (error) {
    if (!(error instanceof VideoError)) throw error;
    answer(asked, 503, { message: error.message });
  }
}

async function remove(asked: Asked, world: AvatarWorld, id: string): Promise<void> {
  try {
    await world.store.remove(id);
  } catch (error) {
    if (!(error instanceof VideoError)) throw error;
    return answer(asked, (await world.store.get(id)) ? 403 : 404, { message: error.message });
  }
  await showAndAnswer(asked, world, await world.store.current());
}

async function showAndAnswer(asked: Asked, { view, show }: AvatarWorld, shown: Avatar): Promise<void> {
  await show(shown);
  const { id, name } = shown;
  const now = view();
  // Another page may have chosen another one meanwhile.
  const avatar: AvatarView = now?.id === id ? now : { id, name, picture: pictureOf(id), loops: {} };
  answer(asked, 200, { avatar });
}

/** The whole body, or nothing where it is longer than `most` bytes. */
async function readBody(request: IncomingMessage, most: number): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  // Were the request destroyed, so would be the connection, and with it the answer.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    length += chunk.length;
    if (length <= most) chunks.push(chunk);
    else if (length > MAX_DROPPED_BYTES) return undefined;
    else chunks.length = 0;
  }
  return length <= most ? Buffer.concat(chunks) : undefined;
}

function idIn(text: string): string | undefined {
  try {
    const { id } = JSON.parse(text);
    return typeof id === 'string' ? id : undefined;
  } catch {
    return undefined;
  }
}

function answer({ request, response }: Asked, status: number, body: object): void {
  response.setHeader('Content-Type', 'application/json');
  response.setHeader('Cache-Control', 'no-store');
  // What is still to come of an upload that was refused must not be taken for the next request.
  if (!request.complete) response.setHeader('Connection', 'close');
  response.statusCode = status;
  response.end(request.method === 'HEAD' ? undefined : JSON.stringify(body));
}

function refuseMethod(asked: Asked, allowed: string): void {
  asked.response.setHeader('Allow', allowed);
  answer(asked, 405, { message: `Only ${allowed} ${allowed.includes(',') ? 'work' : 'works'} here.` });
}

const pictureOf = (id: string): string => `/avatars/${id}/picture.png`;
