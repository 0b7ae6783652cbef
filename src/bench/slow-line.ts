import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** One WebSocket message on its way down the line. */
export type LineMessage = {
  readonly opcode: number;
  /** Its first bytes, where a header of ours would be. */
  readonly head: Buffer;
  /** Between its last byte's arrival at the line and its leaving it, in milliseconds. */
  readonly delayMs: number;
};

/** A line to a server that carries so many bits per second towards the client, and holds whatever comes faster. */
export type SlowLine = AsyncDisposable & {
  readonly url: string;
  /** Messages that came down, in order. */
  readonly messages: LineMessage[];
};

const SLICE = 4 * 1024;
const HEAD = 12;

/**
 * Opens a slow line to the server at `url` (http). It takes what the server sends at once, as large buffers on the way do: the
 * server does not feel the line, and what delays a message is only what was sent before it. Times are reckoned from the bytes
 * that arrive, not from timers.
 */
export async function openSlowLine(url: string, bitsPerSecond: number): Promise<SlowLine> {
  const { hostname, port } = new URL(url);
  const sockets = new Set<Socket>();
  const messages: LineMessage[] = [];
  const line = createServer((near) => {
    const far = connect(Number(port), hostname);
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      socket.on('error', () => {});
      sockets.add(socket);
    }
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
    near.on('data', (bytes) => void far.write(bytes));
    const msPerByte = 8_000 / bitsPerSecond;
    const read = messageReader((message) => messages.push(message));
    let free = 0;
    const held: { slice: Buffer; leaves: number }[] = [];
    let carrying = false;
    const carry = () => {
      const now = performance.now();
      while (held[0] && held[0].leaves <= now) near.write(held.shift()!.slice);
      carrying = held[0] !== undefined;
      if (held[0]) setTimeout(carry, held[0].leaves - now);
    };
    far.on('data', (bytes: Buffer) => {
      const now = performance.now();
      const begins = Math.max(free, now);
      free = begins + bytes.length * msPerByte;
      read(bytes, now, (count) => begins + count * msPerByte);
      for (let at = 0; at < bytes.length; at += SLICE) {
        const slice = bytes.subarray(at, at + SLICE);
        held.push({ slice, leaves: begins + (at + slice.length) * msPerByte });
      }
      if (!carrying) carry();
    });
  }).listen(0, '127.0.0.1');
  await once(line, 'listening');
  return {
    url: `http://127.0.0.1:${(line.address() as AddressInfo).port}`,
    messages,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      line.close();
    },
  };
}

/** Reads the frames of an unmasked WebSocket stream, whose upgrade's answer comes first. */
function messageReader(tell: (message: LineMessage) => void) {
  let upgraded = false;
  let waiting = Buffer.alloc(0);
  return (bytes: Buffer, arrived: number, leaves: (count: number) => number): void => {
    const before = waiting.length;
    waiting = Buffer.concat([waiting, bytes]);
    let at = 0;
    if (!upgraded) {
      const end = waiting.indexOf('\r\n\r\n');
      if (end < 0) return;
      upgraded = true;
      at = end + 4;
    }
    for (;;) {
      const frame = frameAt(waiting, at);
      if (!frame) break;
      const head = Buffer.from(waiting.subarray(frame.start, Math.min(frame.start + HEAD, frame.end)));
      tell({ opcode: frame.opcode, head, delayMs: leaves(frame.end - before) - arrived });
      at = frame.end;
    }
    waiting = waiting.subarray(at);
  };
}

/** Where the frame that begins at `at` has its payload; undefined if it is not all there. */
function frameAt(bytes: Buffer, at: number): { opcode: number; start: number; end: number } | undefined {
  if (bytes.length < at + 2) return undefined;
  const short = bytes[at + 1]! & 0x7f;
  const header = short === 127 ? 10 : short === 126 ? 4 : 2;
  if (bytes.length < at + header) return undefined;
  const length =
    short === 127 ? Number(bytes.readBigUInt64BE(at + 2)) : short === 126 ? bytes.readUInt16BE(at + 2) : short;
  const end = at + header + length;
  return bytes.length < end ? undefined : { opcode: bytes[at]! & 0x0f, start: at + header, end };
}
