import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Picture } from '../server/video/contracts.ts';
import { VIDEO_FPS } from '../server/video/contracts.ts';

const run = promisify(execFile);
const LISTEN_RATE = 48_000;

/** A picture is white and a tone sounds in the first frame of every second; all else is dark and silent. */
const flashes = (frame: number): boolean => frame % VIDEO_FPS === 0;

/** The pictures of a clip that shows when sound and picture drift apart: `count` frames, square, of `size` pixels. */
export async function* flashFrames(count: number, size: number): AsyncGenerator<Picture> {
  const ground = new Uint8Array(size * size * 3).map((_, i) => 40 + ((i * 7) % 31));
  const white = new Uint8Array(size * size * 3).fill(235);
  for (let k = 0; k < count; k++) yield { width: size, height: size, rgb: flashes(k) ? white : ground };
}

/** The sound to them: `samples` samples in chunks of `chunk`. */
export async function* flashSpeech(samples: number, rate: number, chunk: number): AsyncGenerator<Float32Array> {
  for (let at = 0; at < samples; at += chunk) {
    const sound = new Float32Array(Math.min(chunk, samples - at));
    for (let i = 0; i < sound.length; i++) {
      const n = at + i;
      if (flashes(Math.floor((n * VIDEO_FPS) / rate))) sound[i] = 0.5 * Math.sin((2 * Math.PI * 1_000 * n) / rate);
    }
    yield sound;
  }
}

/** For each flash of a clip, by how many milliseconds its tone is heard later; negative: earlier. ffmpeg reads the clip. */
export async function flashOffsets(file: string): Promise<number[]> {
  const binary = { encoding: 'buffer', maxBuffer: 1 << 30 } as const;
  const quiet = ['-v', 'error', '-copyts', '-i', file];
  const { stdout: light } = await run(
    'ffmpeg',
    [...quiet, '-map', '0:v', '-vf', 'scale=2:2,format=gray', '-fps_mode', 'passthrough', '-f', 'rawvideo', '-'],
    binary,
  );
  const { stdout: times } = await run('ffprobe', [
    ...['-v', 'error', '-select_streams', 'v', '-show_entries', 'packet=pts_time', '-of', 'csv=p=0', file],
  ]);
  const { stdout: pcm } = await run(
    'ffmpeg',
    [...quiet, '-map', '0:a', '-af', 'aresample=async=1:first_pts=0', '-ar', String(LISTEN_RATE), '-f', 's16le', '-'],
    binary,
  );
  const shownAt = times.trim().split('\n').map(Number.parseFloat);
  const seen = shownAt.filter((_, k) => light[k * 4]! > 140);
  const heard = toneBegins(new Int16Array(pcm.buffer, pcm.byteOffset, pcm.length >> 1));
  if (seen.length === 0 || seen.length !== heard.length) {
    throw new Error(`${file} has ${seen.length} flashes and ${heard.length} tones.`);
  }
  return seen.map((at, i) => (heard[i]! - at) * 1_000);
}

/** Where each tone begins, in seconds: at half its loudness, which smears little in a codec. */
function toneBegins(sound: Int16Array): number[] {
  const begins: number[] = [];
  const gap = LISTEN_RATE / 2;
  for (let n = 0; n < sound.length; n++) {
    if (Math.abs(sound[n]!) < 6_000) continue;
    begins.push(n / LISTEN_RATE);
    n += gap;
  }
  return begins;
}
