import { detailOf } from '../../../other-servers/detail-of.ts';
import { networkCode } from '../../../other-servers/network-code.ts';
import { VideoError } from '../../contracts.ts';

/** A server with `/v1/videos`, and the key to it or ''. */
export type VideoServer = {
  /** Such as `http://127.0.0.1:8091/v1`; `/v1` is added where there is no path. */
  readonly baseUrl: string;
  readonly apiKey: string;
};

/** So long may a server take to begin its answer; some read the picture before that. */
const ANSWER_MS = 120_000;

/** Sends one request; whatever can go wrong before an answer is a `VideoError` that names the fix. */
export async function askVideos(
  server: VideoServer,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  form: FormData | undefined,
  signal: AbortSignal,
): Promise<Response> {
  const limit = AbortSignal.timeout(ANSWER_MS);
  const headers: Record<string, string> = server.apiKey ? { authorization: `Bearer ${server.apiKey}` } : {};
  try {
    return await fetch(addressOf(server.baseUrl, path), {
      ...{ method, headers, signal: AbortSignal.any([signal, limit]) },
      ...(form && { body: form }),
    });
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof VideoError) throw cause;
    throw new VideoError(limit.aborted ? silent(server) : unreachable(server, networkCode(cause)), { cause });
  }
}

function addressOf(baseUrl: string, path: string): string {
  let url: URL;
  try {
    url = new URL(baseUrl);
  } catch {
    throw new VideoError(
      `video.baseClips.baseUrl "${baseUrl}" is not an address; write one such as http://127.0.0.1:8091/v1.`,
    );
  }
  const base = url.pathname.replace(/\/+$/, '').replace(/\/videos$/, '') || '/v1';
  return `${url.origin}${base}${path}${url.search}`;
}

const silent = ({ baseUrl }: VideoServer) =>
  `The video server at ${baseUrl} said nothing for ${ANSWER_MS / 1000} s. Is it still loading its model?`;

function unreachable({ baseUrl }: VideoServer, code: string): string {
  switch (code) {
    case 'ECONNREFUSED':
      return `Nothing listens at ${baseUrl}. Start the video server there, or correct video.baseClips.baseUrl.`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `The host of ${baseUrl} is not known here. Correct video.baseClips.baseUrl.`;
    default:
      return `The video server at ${baseUrl} broke off the connection${code && ` (${code})`}. Its log may say why.`;
  }
}

/** An answer that is no answer, as an error that names the fix; `secrets` is what its message must not repeat. */
export async function refusalOf(
  server: VideoServer,
  response: Response,
  secrets: readonly string[],
): Promise<VideoError> {
  const { status } = response;
  const body = (await response.text().catch(() => '')).slice(0, 10_000);
  const at = `The video server at ${server.baseUrl}`;
  const detail = detailOf(body, secrets);
  if (status === 401 || status === 403) {
    const fix = server.apiKey ? 'Correct video.baseClips.apiKey' : 'Set video.baseClips.apiKey';
    return new VideoError(`${at} does not let us in (${status}). ${fix}.`);
  }
  if (status === 404 && /model/i.test(body)) {
    return new VideoError(`${at} does not have the model of video.baseClips.model. Correct it, or leave it empty.`);
  }
  if (status === 404 || status === 405) {
    return new VideoError(`${at} has no videos (${status}). video.baseClips.baseUrl mostly ends in /v1; correct it.`);
  }
  if (status === 413) return new VideoError(`${at} takes no picture that large (413). Raise its limit.`);
  if (status === 429) return new VideoError(`${at} has too much to do (429)${detail}. Wait, or use another server.`);
  if (status >= 500) return new VideoError(`${at} failed (${status})${detail}. Its log may say why.`);
  return new VideoError(`${at} refused the video (${status})${detail}. Does it make videos from pictures?`);
}
