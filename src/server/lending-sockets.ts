import type { WebSocket } from 'ws';
import { CLOSE } from '../protocol/messages.ts';
import { Queue } from './async/queue.ts';
import type { Logger } from './log.ts';
import type { LipSyncMessage } from './video/lip-sync/serve-lip-sync.ts';
import type { VideoProcess } from './video-process.ts';

/** How many others may be served at once. */
const MAX_LENT = 4;
/** A line that takes nothing of so much is given up. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;
/** Longer than loading a lip-sync takes. */
const SILENT_MS = 60_000;

type Lender = Pick<VideoProcess, 'lend'>;

/** Takes the sockets of voice-chats that borrow this one's lip-sync, which runs in `process`. */
export function lendingSockets(
  process: () => Lender | undefined,
  log: Pick<Logger, 'info' | 'warn'>,
): (socket: WebSocket) => void {
  let lent = 0;
  return (socket) => {
    const lender = process();
    // What goes wrong the close code says.
    socket.on('error', () => {});
    if (!lender || lent >= MAX_LENT) return socket.close(CLOSE.tryLater, 'No lip-sync is free now.');
    lent++;
    log.info('lip-sync is lent');
    void serve(socket, lender)
      .catch((error: Error) => log.warn('lip-sync could not be lent', { why: error.message }))
      .finally(() => {
        lent--;
        socket.close(CLOSE.internal);
      });
  };
}

async function serve(socket: WebSocket, lender: Lender): Promise<void> {
  const gone = new AbortController();
  const said = new Queue<LipSyncMessage>();
  const silent = setTimeout(() => socket.terminate(), SILENT_MS);
  socket.on('close', () => {
    gone.abort();
    said.end();
  });
  socket.on('message', (data: Buffer, isBinary) => {
    silent.refresh();
    said.push(isBinary ? data : data.toString('utf8'));
  });
  try {
    for await (const answer of lender.lend(said, gone.signal)) {
      silent.refresh();
      socket.send(answer);
      if (socket.bufferedAmount > MAX_WAITING_BYTES) socket.terminate();
    }
    if (!gone.signal.aborted) socket.close(1000);
  } finally {
    clearTimeout(silent);
    said.end();
  }
}
