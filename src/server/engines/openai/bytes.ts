import type { Deadline } from './deadline.ts';

/** The bytes of an answer; each piece restarts `stall`. */
export async function* watched(
  body: AsyncIterable<Uint8Array>,
  stall: Deadline,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const bytes of body) {
    stall.restart();
    yield bytes;
  }
}
