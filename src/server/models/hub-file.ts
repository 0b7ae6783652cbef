import { isDigest } from './check-names.ts';
import type { RemoteFile } from './hub-api.ts';
import type { HubConnection } from './hub-connection.ts';
import { ModelStoreError } from './model-store-error.ts';

/** The hub has other bytes under this name than it said. */
export class FileChanged extends Error {
  override readonly name = 'FileChanged';
}

const REDIRECTS = [301, 302, 303, 307, 308];

/**
 * The bytes of a file from `offset` on: `from` says where the answer really begins, 0 where the server knows no ranges.
 * Throws `FileChanged` when the hub now has other bytes under that name, `Retryable`, or `ModelStoreError`.
 */
export async function openFile(
  hub: HubConnection,
  file: RemoteFile,
  offset: number,
  signal: AbortSignal,
): Promise<{ body: Response; from: number }> {
  const path = file.path.split('/').map(encodeURIComponent).join('/');
  let url = new URL(`${hub.url}/${file.repo}/resolve/${encodeURIComponent(file.commit)}/${path}`);
  for (let hops = 0; hops < 6; hops++) {
    const response = await hub.send(url, {
      redirect: 'manual',
      headers: {
        // Offsets count the bytes of the file, not of a compressed form; with a range, fetch says so itself.
        ...(offset > 0 ? { range: `bytes=${offset}-` } : { 'accept-encoding': 'identity' }),
        // Only the hub knows the file by this tag. Where it redirects to names the same bytes otherwise; what it is
        // redirected to is chosen by `x-linked-etag`, which is compared below.
        ...(offset > 0 && hops === 0 && { 'if-range': `"${file.etag}"` }),
      },
      signal,
    });
    const { status, headers } = response;
    const isHubsAnswer = hops === 0 || headers.has('x-linked-etag');
    const etag = (headers.get('x-linked-etag') ?? headers.get('etag') ?? '').replace(/^W\//, '').replaceAll('"', '');
    // A cache in between may have tags of its own, which say nothing.
    if (isHubsAnswer && status < 400 && isDigest(etag) && etag !== file.etag) {
      await response.body?.cancel();
      throw new FileChanged(`${file.repo}/${file.path} has changed on ${hub.url}.`);
    }
    const location = headers.get('location');
    if (!REDIRECTS.includes(status) || location === null) return opened(hub, response, file, offset);
    await response.body?.cancel();
    url = new URL(location, url);
  }
  throw new ModelStoreError(`${hub.url} redirects without end for ${file.repo}/${file.path}.`);
}

async function opened(
  hub: HubConnection,
  response: Response,
  file: RemoteFile,
  offset: number,
): Promise<{ body: Response; from: number }> {
  const { status, headers } = response;
  if (status === 206) {
    const [, start, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('content-range') ?? '') ?? [];
    if (Number(start) === offset && (total === '*' || Number(total) === file.bytes)) {
      return { body: response, from: offset };
    }
  }
  if (status === 200) {
    const length = headers.get('content-length');
    if (length === null || Number(length) === file.bytes) return { body: response, from: 0 };
  }
  await response.body?.cancel();
  if (status === 416 || response.ok) {
    throw new FileChanged(`${file.repo}/${file.path} has another size than ${hub.url} said.`);
  }
  throw hub.refusal(response, { repo: file.repo, revision: file.commit, path: file.path });
}
