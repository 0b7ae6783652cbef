import { Deadline } from './deadline.ts';
import { brokenOff } from './refusal.ts';
import type { Server } from './server.ts';
import type { Service } from './service.ts';

/** A request to a server, which may be silent for `stallMs`, and how its answer is read; each byte read restarts `stall`. */
export type Exchange<T> = {
  readonly stallMs: number;
  readonly open: (signal: AbortSignal) => Promise<Response>;
  readonly read: (response: Response, stall: Deadline) => AsyncIterable<T>;
};

/** What is read of a server's answer; ends without an error when `signal` aborts, and closes the connection whenever it ends. */
export async function* exchange<T>(
  service: Service,
  server: Server,
  { stallMs, open, read }: Exchange<T>,
  signal: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  const stall = new Deadline(stallMs);
  const own = new AbortController();
  try {
    const response = await open(AbortSignal.any([signal, stall.signal, own.signal]));
    stall.restart();
    for await (const item of read(response, stall)) {
      if (signal.aborted) return;
      // While the reader is busy with this, the server owes nothing.
      stall.stop();
      yield item;
      if (signal.aborted) return;
      stall.restart();
    }
  } catch (error) {
    if (signal.aborted) return;
    throw brokenOff(service, server, error, stall);
  } finally {
    stall.stop();
    // Closes the connection, by which the server learns that it may stop.
    own.abort();
  }
}
