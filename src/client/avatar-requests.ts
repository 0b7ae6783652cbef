import type { AvatarView } from '../protocol/messages.ts';
import { cropQuery, type Extent, type FaceBox, type Square } from './crop-square.ts';

/** An avatar that can be chosen. */
export type ListedAvatar = {
  readonly id: string;
  readonly name: string;
  readonly picture: string;
  readonly preset: boolean;
};

/** Why something did not work, in a sentence with its fix; of a picture whose face must be shown, also what is known of it. */
export type Refused = {
  readonly message: string;
  readonly choose?: { readonly picture: Extent; readonly faces: readonly FaceBox[] };
};

type Answer<T> = ({ readonly ok: true } & T) | ({ readonly ok: false } & Refused);

/** The face that is shown, and all there are. */
export function listAvatars(): Promise<Answer<{ avatar?: AvatarView; avatars: ListedAvatar[] }>> {
  return ask('GET', 'api/avatar');
}

/** Makes this one the face. */
export function chooseAvatar(id: string): Promise<Answer<{ avatar: AvatarView }>> {
  return ask('PUT', 'api/avatar', JSON.stringify({ id }), 'application/json');
}

/** Makes a face of a picture, or of a square of it. */
export function addAvatar(
  file: Blob,
  name: string,
  crop?: { readonly square: Square; readonly picture: Extent },
): Promise<Answer<{ avatar: AvatarView }>> {
  const query = new URLSearchParams({ name });
  if (crop) query.set('crop', cropQuery(crop.square, crop.picture));
  return ask('PUT', `api/avatar?${query}`, file, file.type || 'application/octet-stream');
}

/** Removes one of the user's own. */
export function removeAvatar(id: string): Promise<Answer<object>> {
  return ask('DELETE', `api/avatars/${encodeURIComponent(id)}`);
}

async function ask<T>(method: string, path: string, body?: BodyInit, type?: string): Promise<Answer<T>> {
  try {
    const response = await fetch(path, {
      method,
      ...(body !== undefined && { body }),
      ...(type && { headers: { 'Content-Type': type } }),
    });
    const text = await response.text();
    if (response.ok) return { ok: true, ...(text === '' ? {} : JSON.parse(text)) };
    return { ok: false, ...refusalOf(text, response.status) };
  } catch {
    return { ok: false, message: 'The server does not answer; try again when the page is connected.' };
  }
}

function refusalOf(text: string, status: number): Refused {
  try {
    const { message, error, problem, width, height, faces } = JSON.parse(text);
    const refused = { message: String(message ?? error?.message ?? error ?? text) };
    const byHand = (problem === 'no_face' || problem === 'several_faces') && width > 0 && height > 0;
    return byHand ? { ...refused, choose: { picture: { width, height }, faces: faces ?? [] } } : refused;
  } catch {
    return { message: text.trim() || `The server refused it (${status}).` };
  }
}
