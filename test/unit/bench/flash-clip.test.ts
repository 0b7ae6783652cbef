import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { flashFrames, flashOffsets, flashSpeech } from '../../../src/bench/flash-clip.ts';
import { openMuxer } from '../../../src/server/video/mux/open-muxer.ts';

const signal = new AbortController().signal;
const muxer = await openMuxer('ffmpeg', { offline: true }, signal).catch(() => undefined);

it.runIf(muxer).each([0, 7, 60])('a tone that comes %i ms late is measured so', async (lateMs) => {
  const folder = await mkdtemp(join(tmpdir(), 'voice-chat-flash-'));
  try {
    const rate = 24_000;
    const late = (lateMs * rate) / 1_000;
    const shifted = async function* () {
      yield new Float32Array(late);
      yield* flashSpeech(3 * rate, rate, 1_000);
    };
    const file = join(folder, 'clip.mp4');
    const format = { width: 64, height: 64, rate };
    for await (const _ of muxer!.mux(flashFrames(75, 64), shifted(), format, file, signal));
    for (const offset of await flashOffsets(file)) expect(Math.abs(offset - lateMs)).toBeLessThan(1);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
