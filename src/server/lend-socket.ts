import type { WebSocket } from 'ws';
import { CLOSE } from '../protocol/messages.ts';
import { Queue } from './async/queue.ts';
import type { Logger } from './log.ts';
import type { VideoProcess } from './video-process.ts';

/** How many others may be served at once. */
const MAX_LENT = 4;
/** A line that takes nothing of so much is given up. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;
const SILENT_MS = 30_000;

/** Takes the sockets of voice-chats that borrow this one's lip-sync, which runs in `process`. */
export function lendingSockets(process: () => VideoProcess | undefined, log: Logger): (socket: WebSocket) => void {
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

async function serve(socket: WebSocket, lender: VideoProcess): Promise<void> {
  const gone = new AbortController();
  const said = new Queue<string | Uint8Array>();
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
    for await (const answer of lender.call('lend', [], said, gone.signal)) {
      silent.refresh();
      socket.send(answer as string | Uint8Array);
      if (socket.bufferedAmount > MAX_WAITING_BYTES) socket.terminate();
    }
    if (!gone.signal.aborted) socket.close(1000);
  } finally {
    clearTimeout(silent);
    said.end();
  }
}
