import { promisify } from 'node:util';
import { inflateRaw } from 'node:zlib';
import { abortable } from '../../async/abortable.ts';
import { type BaseClip, type Box, type LipSync, type Picture, VideoError } from '../contracts.ts';
import { Asking } from './remote-asking.ts';
import { connect, type RemoteLipSyncSettings } from './remote-connection.ts';
import type { Patch } from './remote-messages.ts';
import { add } from './remote-region.ts';

/** Long enough for a far end that has to load its networks first. */
const PATIENCE_MS = 30_000;

const inflate = promisify(inflateRaw);

/**
 * Lip-sync by another voice-chat of the network (`serveLipSync`), to which only the face's region of the base clip is sent, once,
 * and from which only what changes comes back. A far end that is silent for `patienceMs` while something is expected of it is
 * given up. Its `frames` reject with a `VideoError`.
 */
export function createRemoteLipSync(settings: RemoteLipSyncSettings, patienceMs = PATIENCE_MS): LipSync {
  const closed = new AbortController();
  return {
    frames: (base, speech, rate, signal) =>
      remoteFrames(settings, patienceMs, base, speech, rate, AbortSignal.any([signal, closed.signal])),
    async [Symbol.asyncDispose]() {
      closed.abort();
    },
  };
}

async function* remoteFrames(
  settings: RemoteLipSyncSettings,
  patienceMs: number,
  base: BaseClip,
  speech: AsyncIterable<Float32Array>,
  rate: number,
  signal: AbortSignal,
): AsyncGenerator<Picture, void, undefined> {
  const left = new AbortController();
  const socket = await connect(settings, patienceMs, signal).catch((error) => {
    if (signal.aborted) return undefined;
    throw error;
  });
  if (!socket) return;
  const asking = new Asking(socket, settings.baseUrl, base, rate, patienceMs);
  try {
    asking.ask(speech, AbortSignal.any([signal, left.signal]));
    for await (const patch of abortable(asking.patches, signal)) {
      const picture = await base.picture(patch.frame % base.frames);
      await apply(picture, asking.region, patch);
      if (signal.aborted) return;
      yield picture;
      asking.took();
    }
  } finally {
    asking.end();
    left.abort();
    // Whoever was cut off mid-speech waits for no goodbye.
    socket.terminate();
  }
}

async function apply(picture: Picture, region: Box, { box, deflated }: Patch): Promise<void> {
  if (box.width === 0) return;
  const inside = box.x + box.width <= region.width && box.y + box.height <= region.height;
  const bytes = 3 * box.width * box.height;
  const values = await inflate(deflated, { maxOutputLength: bytes + 1 }).catch(() => undefined);
  if (!inside || values?.length !== bytes) {
    throw new VideoError('A frame of the other voice-chat arrived damaged; install the same version on both.');
  }
  add(picture, { ...box, x: region.x + box.x, y: region.y + box.y }, values);
}
