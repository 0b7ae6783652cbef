import { WebSocket } from 'ws';
import { VideoError } from '../contracts.ts';
import { LIP_SYNC_PATH } from './remote-messages.ts';

/** Another voice-chat that lends its lip-sync: its address (`http://…` or `https://…`) and its `server.token`, or ''. */
export type RemoteLipSyncSettings = { readonly baseUrl: string; readonly token: string };

/** A whole picture of a base clip takes less, also one that cannot be packed. */
const MAX_MESSAGE_BYTES = 1024 * 1024;

/** A connection to the other voice-chat. Rejects with a `VideoError`, or with the signal's reason once it aborts. */
export async function connect(
  { baseUrl, token }: RemoteLipSyncSettings,
  patienceMs: number,
  signal: AbortSignal,
): Promise<WebSocket> {
  signal.throwIfAborted();
  const address = new URL(baseUrl.replace(/\/*$/, LIP_SYNC_PATH).replace(/^http/, 'ws'));
  const socket = new WebSocket(address, {
    headers: token === '' ? {} : { Authorization: `Bearer ${token}` },
    handshakeTimeout: patienceMs,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
  });
  return new Promise((resolve, reject) => {
    const leave = () => {
      reject(signal.reason);
      socket.terminate();
    };
    signal.addEventListener('abort', leave, { once: true });
    const settled = () => signal.removeEventListener('abort', leave);
    socket.once('open', () => {
      settled();
      resolve(socket);
    });
    socket.once('unexpected-response', (_request, response) => {
      settled();
      reject(new VideoError(refused(baseUrl, address.hostname, response.statusCode ?? 0)));
      socket.terminate();
    });
    // Stays: an error without a listener would end the process.
    socket.on('error', (cause: NodeJS.ErrnoException) => {
      settled();
      const why = cause.code ?? cause.message;
      const message = `The voice-chat at ${baseUrl} that should lend its lip-sync cannot be reached (${why}); start it, or set video.lipSync.baseUrl to where it is.`;
      reject(new VideoError(message, { cause }));
    });
  });
}

function refused(baseUrl: string, host: string, status: number): string {
  const at = `The voice-chat at ${baseUrl}`;
  if (status === 401 || status === 429)
    return `${at} does not take the token; set video.lipSync.token to its server.token.`;
  if (status === 403) return `${at} does not answer to this name; add ${host} to its server.allowedHosts.`;
  if (status === 404) return `${at} lends no lip-sync; install the same version there, with video.enabled: true.`;
  return `${at} lends no lip-sync now (HTTP ${status}); look at its log.`;
}
