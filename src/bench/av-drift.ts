import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VIDEO_FPS } from '../server/video/contracts.ts';
import { openMuxer } from '../server/video/mux/open-muxer.ts';
import { flashFrames, flashOffsets, flashSpeech } from './flash-clip.ts';
import type { Row, Say } from './row.ts';

const SECONDS = 60;
const SIZE = 512;
const RATES = [16_000, 22_050, 24_000, 44_100];

/**
 * How far sound and picture are apart in a clip of a minute, at every flash in it: in the stream as it is sent and in the
 * whole file, for speech of several rates.
 */
export async function avDrift(say: Say): Promise<Row[]> {
  const signal = new AbortController().signal;
  await using muxer = await openMuxer('auto', {}, signal);
  const folder = await mkdtemp(join(tmpdir(), 'voice-chat-drift-'));
  const all: number[] = [];
  try {
    for (const rate of RATES) {
      const file = join(folder, `${rate}.mp4`);
      const streamed = join(folder, `${rate}.stream.mp4`);
      const frames = flashFrames(SECONDS * VIDEO_FPS, SIZE);
      const speech = flashSpeech(SECONDS * rate, rate, Math.round(rate / 10));
      const pieces: Uint8Array[] = [];
      for await (const piece of muxer.mux(frames, speech, { width: SIZE, height: SIZE, rate }, file, signal)) {
        pieces.push(piece);
      }
      await writeFile(streamed, Buffer.concat(pieces));
      const [sent, whole] = [await flashOffsets(streamed), await flashOffsets(file)];
      all.push(...sent, ...whole);
      const last = (offsets: number[]) => `${offsets.at(-1)!.toFixed(1)} ms`;
      say(`${muxer.name}, ${rate} Hz: at the end ${last(sent)} in the stream, ${last(whole)} in the file`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const worst = Math.max(...all.map(Math.abs));
  const row = { unit: 'ms', n: all.length, worst: Math.round(worst * 100) / 100, bar: 'worst ≤ 20' };
  return [{ id: 'av-drift', ...row, ok: worst <= 20 }];
}
