import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { LlmModel } from '../server/models/model-entry.ts';
import { ModelStore } from '../server/models/store.ts';
import { FakeHub, sha256 } from './fake-hub.ts';
import type { Row, Say } from './row.ts';

const BYTES = 20_000_000;
const CUTS = 20;
/** What Node reads from a socket at once, at most. */
const BLOCK = 65_536;
/** The server is paced like a line of some 15 MB/s: it sends a piece, then pauses. */
const PACE = { pieceBytes: 16_384, pieceMs: 1 };

/**
 * A model of 20 MB from a hub on this machine, cut 20 times at random: every other time by the server, which resets the
 * connection, and every other by the user, who stops and starts again. The figure is what was sent twice.
 *
 * The bound: what the server had sent, but the client not yet read when the cut came, must be sent again; all else is on
 * the disk, for every piece is written as it comes. That is one block for each cut, if the line is paced: unpaced, a
 * connection within one machine has megabytes under way in the system's buffers.
 */
export async function downloadResume(say: Say): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'voice-chat-bench-'));
  await using hub = await FakeHub.start(PACE);
  try {
    const bytes = Buffer.concat([Buffer.from('GGUF'), randomBytes(BYTES - 4)]);
    hub.put('bench/model', 'model.gguf', bytes);
    const store = new ModelStore({ folder, hub: hub.url, token: '', offline: false, pause: async () => {} });
    const file = await fetchWithCuts(store, hub);
    const hash = createHash('sha256');
    await pipeline(createReadStream(file), hash);
    const isSame = hash.digest('hex') === sha256(bytes);
    const requests = hub.served.length;
    const twice = hub.bytesServed - BYTES;
    say(
      `${requests} requests, ${hub.bytesServed} bytes sent for ${BYTES}: ${(hub.bytesServed / BYTES).toFixed(4)} times`,
    );
    say(`the same bytes: ${isSame ? 'yes' : 'NO'}; sent twice: ${(twice / CUTS).toFixed(0)} bytes per cut`);
    const bar = CUTS * BLOCK;
    const ok = isSame && requests === CUTS + 1 && twice <= bar;
    return [{ id: 'download-resume', unit: 'bytes twice', n: CUTS, value: twice, bar: `<= ${bar}`, ok }];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Answers where the file lies in the end. */
async function fetchWithCuts(store: ModelStore, hub: FakeHub): Promise<string> {
  // As many cuts as parts: each falls at random into what would be its part, were they even.
  const part = BYTES / (CUTS + 1);
  let at = 0;
  for (let cut = 1; cut <= CUTS; cut += 2) {
    const byServer = Math.round(part * (cut + Math.random() - 0.5));
    const byUser = Math.round(part * (cut + 1 + Math.random() - 0.5));
    hub.next('file', { kind: 'cut', afterBytes: byServer - at });
    const stop = new AbortController();
    const stopAt = ({ bytes }: { bytes: number }) => bytes >= byUser && stop.abort();
    await store.pull([ENTRY], stopAt, stop.signal).catch((error: unknown) => {
      if (!stop.signal.aborted) throw error;
    });
    // The server knows best how far the next answer must go.
    const { bytes } = await missing(store);
    at = BYTES - bytes;
  }
  const [model] = await store.pull([ENTRY], () => {}, new AbortController().signal);
  return model!.files.model!;
}

const missing = (store: ModelStore) => store.missing([ENTRY], new AbortController().signal);

const ENTRY: LlmModel = {
  id: 'bench',
  title: 'Bench',
  stage: 'llm',
  engine: 'llama',
  family: 'gguf',
  repo: 'bench/model',
  revision: 'main',
  files: [{ role: 'model', path: 'model.gguf' }],
  totalBytes: BYTES,
  licence: 'MIT',
  languages: ['en'],
  memoryBytes: 0,
  quality: 0,
  parameters: 0,
  kvBytesPerToken: 0,
  layers: 0,
};
