import { constants } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { RemoteFile } from './hub-api.ts';
import { type HubConnection, reason } from './hub-connection.ts';
import { openFile } from './hub-file.ts';
import { ModelStoreError } from './model-store-error.ts';
import { MAX_TRIES, pauseAfter, Retryable } from './retry.ts';

/**
 * Fetches what `partial` lacks of a file, and goes on where it stopped when the connection drops. What came is on the disk
 * at once, and stays there when this ends early: by `signal` (rejects with its reason), with `FileChanged`, or with a
 * `ModelStoreError`. `onBytes` is told how much is there.
 */
export async function download(
  hub: HubConnection,
  file: RemoteFile,
  partial: string,
  onBytes: (have: number) => void,
  signal: AbortSignal,
): Promise<void> {
  await mkdir(dirname(partial), { recursive: true });
  const handle = await open(partial, constants.O_RDWR | constants.O_CREAT);
  try {
    let tries = 0;
    let have = (await handle.stat()).size;
    if (have > file.bytes) await handle.truncate((have = 0));
    onBytes(have);
    while (have < file.bytes) {
      const before = have;
      try {
        await appendOnce(hub, file, handle, have, (now) => onBytes((have = now)), signal);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof Retryable)) throw error;
        tries = have > before ? 1 : tries + 1;
        if (tries === MAX_TRIES) throw stopped(file, have, error);
        await hub.pause(pauseAfter(tries, error), signal);
      }
    }
    // Before it is renamed: a power cut must not leave a whole name on half a file.
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** One request, until its answer ends or breaks; `onBytes` is told after each piece that was written. */
async function appendOnce(
  hub: HubConnection,
  file: RemoteFile,
  handle: FileHandle,
  offset: number,
  onBytes: (have: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const silence = new AbortController();
  const limit = AbortSignal.any([signal, silence.signal]);
  const silent = new Retryable(`The connection was silent for ${hub.stallMs / 1000} s.`);
  const watch = setTimeout(() => silence.abort(silent), hub.stallMs);
  try {
    const { body, from } = await openFile(hub, file, offset, limit);
    let at = from;
    for await (const piece of pieces(body)) {
      watch.refresh();
      // A server without ranges begins anew: what is here already is passed over.
      const fresh = at < offset ? piece.subarray(offset - at) : piece;
      const end = at + piece.length;
      if (end > file.bytes) throw new Retryable(`${file.path} came with more bytes than it has.`);
      if (fresh.length > 0) {
        await write(handle, fresh, end - fresh.length);
        onBytes(end);
      }
      at = end;
    }
    if (at < file.bytes) throw new Retryable('The connection ended early.');
  } catch (error) {
    throw silence.signal.aborted ? silent : error;
  } finally {
    clearTimeout(watch);
  }
}

async function* pieces({ body }: Response): AsyncGenerator<Uint8Array> {
  if (!body) return;
  const reader = body.getReader();
  try {
    for (;;) {
      const next = await reader.read().catch((cause: unknown) => {
        throw new Retryable(`The connection dropped (${reason(cause)}).`, undefined, { cause });
      });
      if (next.done) return;
      yield next.value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

async function write(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  try {
    for (let done = 0; done < bytes.length; ) {
      done += (await handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
    }
  } catch (cause) {
    const fix = 'Free some space, or set models.folder in config.yml to a larger disk; then pull again.';
    throw new ModelStoreError(`The disk took no more (${reason(cause)}); what came is kept. ${fix}`, { cause });
  }
}

function stopped(file: RemoteFile, have: number, cause: Retryable): ModelStoreError {
  const mb = (bytes: number) => (bytes / 1e6).toFixed(1);
  return new ModelStoreError(
    `${file.repo}/${file.path} stopped at ${mb(have)} of ${mb(file.bytes)} MB: ${cause.message} What came is kept: pull again to go on from there.`,
    { cause },
  );
}
