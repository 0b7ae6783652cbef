import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ClipPiece, decodeClipPiece, MAX_PIECE_BYTES } from '../../../src/protocol/frames.ts';
import { CLIP_WINDOW_BYTES, ClipSender, MAX_WAITING_BYTES, PATIENCE_TICKS } from '../../../src/server/clip-sender.ts';

/** A socket whose bytes leave it when the test says so. */
class Socket {
  bufferedAmount = 0;
  readonly pieces: ClipPiece[] = [];
  readonly #sent: (() => void)[] = [];

  send(message: ArrayBuffer, sent: () => void): void {
    this.pieces.push(decodeClipPiece(message)!);
    this.#sent.push(sent);
  }

  /** All that was sent leaves, speech too. */
  drain(): void {
    this.bufferedAmount = 0;
    for (const sent of this.#sent.splice(0)) sent();
  }

  bytes(turn: number): Uint8Array {
    return Buffer.concat(this.pieces.filter((piece) => piece.turn === turn).map(({ bytes }) => bytes));
  }

  /** How many bytes of a turn's clip were sent. */
  count(turn: number): number {
    return this.bytes(turn).length;
  }
}

const clip = (length: number, seed = 1) => Uint8Array.from({ length }, (_, i) => (i * 31 + seed) & 0xff);

describe('a clip sender', () => {
  it('sends a clip whole, in pieces of at most 16 KiB with their places, and marks the last', () => {
    const socket = new Socket();
    const sender = new ClipSender(socket);
    const bytes = clip(100_000);
    const told: string[] = [];
    sender.begin(3);
    for (let at = 0; at < bytes.length; at += 7_000) sender.push(3, bytes.subarray(at, at + 7_000));
    sender.end(3, () => told.push('done'));
    while (!socket.pieces.at(-1)?.last) {
      expect(told).toEqual([]);
      sender.received(3, socket.count(3));
    }
    expect(told).toEqual(['done']);
    expect(Buffer.from(socket.bytes(3)).equals(bytes)).toBe(true);
    let position = 0;
    for (const [i, piece] of socket.pieces.entries()) {
      expect(piece).toMatchObject({ turn: 3, sequence: i, position, last: i === socket.pieces.length - 1 });
      expect(piece.bytes.length).toBeLessThanOrEqual(MAX_PIECE_BYTES);
      position += piece.bytes.length;
    }
  });

  it('waits while anything waits in the socket, and goes on when it has left', () => {
    const socket = new Socket();
    const sender = new ClipSender(socket);
    socket.bufferedAmount = 1;
    sender.begin(1);
    sender.push(1, clip(10));
    expect(socket.pieces).toEqual([]);
    socket.bufferedAmount = 0;
    sender.drained();
    expect(socket.count(1)).toBe(10);
  });

  it('sends no more than its window beyond what the client says it has, whatever the client says', () => {
    const socket = new Socket();
    const sender = new ClipSender(socket);
    sender.begin(1);
    sender.push(1, clip(200_000));
    expect(socket.count(1)).toBe(CLIP_WINDOW_BYTES);
    expect(sender.received(2, 100_000)).toBe(false);
    expect(sender.received(1, 0)).toBe(false);
    expect(socket.count(1)).toBe(CLIP_WINDOW_BYTES);
    expect(sender.received(1, 1_000_000_000)).toBe(true);
    expect(socket.count(1)).toBe(2 * CLIP_WINDOW_BYTES);
    sender.received(1, MAX_PIECE_BYTES);
    expect(socket.count(1)).toBe(2 * CLIP_WINDOW_BYTES);
  });

  it('says the end by an empty piece when all bytes went before it was known', () => {
    const socket = new Socket();
    const sender = new ClipSender(socket);
    let done = false;
    sender.begin(1);
    sender.push(1, clip(5));
    sender.end(1, () => {
      done = true;
    });
    expect(socket.pieces.map(({ bytes, last, position }) => [bytes.length, last, position])).toEqual([
      [5, false, 0],
      [0, true, 5],
    ]);
    expect(done).toBe(true);
  });

  it('drops a clip at once, and says nothing of it later', () => {
    const socket = new Socket();
    const sender = new ClipSender(socket);
    sender.begin(4);
    sender.push(4, clip(100_000));
    sender.end(4, () => expect.unreachable('the clip was dropped'));
    const before = socket.pieces.length;
    sender.drop(4);
    sender.received(4, CLIP_WINDOW_BYTES);
    sender.drained();
    expect(sender.push(4, clip(10))).toBe(false);
    expect(socket.pieces).toHaveLength(before);
    expect(sender.waiting).toBe(0);
  });

  it('drops the rest of an older clip, and says that it is complete if it is', () => {
    const socket = new Socket();
    const sender = new ClipSender(socket);
    let done = false;
    sender.begin(4);
    sender.push(4, clip(100_000));
    sender.end(4, () => {
      done = true;
    });
    sender.drop(5);
    expect(done).toBe(true);
    sender.received(4, CLIP_WINDOW_BYTES);
    expect(socket.count(4)).toBe(CLIP_WINDOW_BYTES);
  });

  it('does not drop a newer clip than it is told to', () => {
    const socket = new Socket();
    const sender = new ClipSender(socket);
    sender.begin(6);
    sender.drop(5);
    expect(sender.push(6, clip(10))).toBe(true);
  });

  it('drops the rest of a clip when another begins, and says first that the older is complete where it is', () => {
    const socket = new Socket();
    const sender = new ClipSender(socket);
    const told: string[] = [];
    sender.begin(1);
    sender.push(1, clip(100_000));
    sender.end(1, () => told.push('first'));
    sender.begin(2);
    expect(told).toEqual(['first']);
    sender.push(2, clip(1_000, 2));
    expect(sender.push(1, clip(10))).toBe(false);
    sender.received(1, CLIP_WINDOW_BYTES);
    expect(socket.count(1)).toBe(CLIP_WINDOW_BYTES);
    expect(socket.count(2)).toBe(1_000);
  });

  it('keeps no more than its limit for a client that takes nothing, and then tells the end without the bytes', () => {
    const socket = new Socket();
    const sender = new ClipSender(socket);
    sender.begin(1);
    let taken = 0;
    while (sender.push(1, clip(100_000))) {
      taken += 100_000;
      expect(sender.waiting).toBeLessThanOrEqual(MAX_WAITING_BYTES);
    }
    expect(taken).toBeGreaterThan(MAX_WAITING_BYTES - 100_000);
    expect(sender.waiting).toBe(0);
    let done = false;
    sender.end(1, () => {
      done = true;
    });
    expect(done).toBe(true);
    expect(socket.pieces.some(({ last }) => last)).toBe(false);
  });

  it('gives up on a client that says nothing for long, and not on one that is only slow', () => {
    const socket = new Socket();
    const sender = new ClipSender(socket);
    let done = false;
    sender.begin(1);
    sender.push(1, clip(100_000));
    sender.end(1, () => {
      done = true;
    });
    for (let i = 1; i < PATIENCE_TICKS; i++) sender.tick();
    sender.received(1, 1);
    for (let i = 1; i < PATIENCE_TICKS; i++) sender.tick();
    expect(done).toBe(false);
    sender.tick();
    expect(done).toBe(true);
    expect(sender.waiting).toBe(0);
  });

  it('keeps its rules in any order of things', () => {
    const steps = fc.oneof(
      fc.record({ is: fc.constant('push' as const), bytes: fc.integer({ min: 0, max: 60_000 }) }),
      fc.record({ is: fc.constantFrom('speech', 'drain', 'ack', 'end', 'begin', 'drop', 'tick') }),
    );
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 60 }), (schedule) => {
        const socket = new Socket();
        const sender = new ClipSender(socket);
        let [turn, given, acked, ended] = [1, 0, 0, false];
        const check = () => expect(socket.count(turn) - acked).toBeLessThanOrEqual(CLIP_WINDOW_BYTES);
        sender.begin(turn);
        for (const step of schedule) {
          const before = socket.pieces.length;
          const busy = socket.bufferedAmount > 0;
          if (step.is === 'push' && !ended) {
            const all = clip(given + (step as { bytes: number }).bytes);
            if (sender.push(turn, all.subarray(given))) given = all.length;
          } else if (step.is === 'speech') socket.bufferedAmount += 100;
          else if (step.is === 'drain') socket.drain();
          else if (step.is === 'ack') sender.received(turn, (acked = socket.count(turn)));
          else if (step.is === 'tick') sender.tick();
          else if (step.is === 'end' && !ended) {
            ended = true;
            sender.end(turn, () => {});
          } else if (step.is === 'begin') {
            [turn, given, acked, ended] = [turn + 1, 0, 0, false];
            sender.begin(turn);
          } else if (step.is === 'drop') {
            sender.drop(turn);
            expect(sender.waiting).toBe(0);
          }
          if (busy && step.is !== 'drain') expect(socket.pieces.length).toBe(before);
          expect(sender.waiting).toBeLessThanOrEqual(MAX_WAITING_BYTES);
          check();
          expect(Buffer.from(socket.bytes(turn)).equals(clip(given).subarray(0, socket.count(turn)))).toBe(true);
        }
      }),
      { numRuns: 100 },
    );
  });
});
