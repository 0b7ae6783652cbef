import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createUserVideo } from '../../../src/server/video/base/user-video.ts';
import { type BaseClipJob, type Face, type Picture, VideoError } from '../../../src/server/video/contracts.ts';
import type { Codec } from '../../../src/server/video/mux/codec.ts';
import { openMuxer } from '../../../src/server/video/mux/open-muxer.ts';

const signal = new AbortController().signal;
const codec: Codec | undefined = await openMuxer('ffmpeg', { offline: true }, signal).catch(() => undefined);
const SIZE = 64;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'voice-chat-user-video-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const nobody: Face = {
  box: { x: 0, y: 0, width: 1, height: 1 },
  outerLips: [],
  innerLips: [],
  leftEye: [],
  rightEye: [],
  jaw: [],
};
const job = (): BaseClipJob => ({
  loop: 'idle',
  pictureFile: '',
  face: nobody,
  prompt: '',
  negativePrompt: '',
  seconds: 6,
  file: join(folder, 'clip.mp4'),
});

/** A video in which frame `k` is as bright as `brightness(k)`. */
async function video(count: number, brightness: (k: number) => number): Promise<string> {
  const frames = async function* (): AsyncGenerator<Picture> {
    for (let k = 0; k < count; k++) {
      yield { width: SIZE, height: SIZE, rgb: new Uint8Array(SIZE * SIZE * 3).fill(brightness(k)) };
    }
  };
  const file = join(folder, 'mine.mp4');
  await codec!.encodeVideo(frames(), { width: SIZE, height: SIZE }, file, () => {}, signal);
  return file;
}

async function brightnesses(file: string): Promise<number[]> {
  const values: number[] = [];
  for await (const { rgb } of codec!.decodeVideo(file, 16, signal)) values.push(rgb[0]!);
  return values;
}

describe.runIf(codec)('the user’s own video', () => {
  const made = async (file: string) => {
    await using maker = createUserVideo({ file, debian: { offline: true } });
    const told: number[] = [];
    await maker.make(job(), (done) => told.push(done), signal);
    expect(told.at(-1)).toBe(1);
    return brightnesses(job().file);
  };

  it('stays as it is when its end leads back to its beginning', async () => {
    const wave = (k: number) => 120 + 80 * Math.sin((2 * Math.PI * k) / 40);
    const shown = await made(await video(40, wave));
    expect(shown).toHaveLength(40);
    for (const [k, value] of shown.entries()) expect(Math.abs(value - wave(k))).toBeLessThan(8);
  });

  it('goes forward and back when it does not', async () => {
    const shown = await made(await video(21, (k) => 20 + k * 10));
    expect(shown).toHaveLength(40);
    for (const [k, value] of shown.entries()) {
      expect(Math.abs(value - (20 + (k <= 20 ? k : 40 - k) * 10))).toBeLessThan(8);
    }
  });

  it('is used up to ten seconds in all', async () => {
    const shown = await made(await video(300, (k) => 20 + k * 0.7));
    expect(shown).toHaveLength(248);
    expect(Math.max(...shown)).toBeLessThan(20 + 126 * 0.7 + 8);
  });

  it('that is not named, not there or no video is a sentence that names the fix', async () => {
    const problem = async (file: string) =>
      made(file).then(
        () => expect.unreachable(),
        (error: Error) => error,
      );
    expect((await problem('')).message).toMatch(/video\.baseClips\.file is empty/);
    expect((await problem(join(folder, 'gone.mp4'))).message).toMatch(/correct video\.baseClips\.file/);
    const text = join(folder, 'text.mp4');
    await writeFile(text, 'not a video');
    expect(await problem(text)).toBeInstanceOf(VideoError);
    const sound = join(folder, 'sound.wav');
    const header = Buffer.alloc(44 + 8_000);
    header.write('RIFF\0\0\0\0WAVEfmt ', 'latin1');
    header.set([16, 0, 0, 0, 1, 0, 1, 0, 64, 31, 0, 0, 128, 62, 0, 0, 2, 0, 16, 0], 16);
    header.write('data', 36, 'latin1');
    header.writeUInt32LE(8_000, 40);
    header.writeUInt32LE(8_036, 4);
    await writeFile(sound, header);
    expect((await problem(sound)).message).toMatch(/shows nothing/);
    expect((await readdir(folder)).sort()).toEqual(['sound.wav', 'text.mp4']);
  });

  it('is read from its own file alone: what else it names is not opened', async () => {
    const other = await video(10, () => 100);
    const parts = join(folder, 'other.ts');
    execFileSync('ffmpeg', ['-v', 'error', '-i', other, '-c', 'copy', parts]);
    const lists = {
      'playlist.mp4': `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://${parts}\n#EXT-X-ENDLIST\n`,
      'parts.mp4': 'ffconcat version 1.0\nfile mine.mp4\n',
    };
    expect(await made(parts)).not.toHaveLength(0);
    for (const [name, text] of Object.entries(lists)) {
      const file = join(folder, name);
      await writeFile(file, text);
      await rm(job().file);
      await expect(made(file), name).rejects.toThrow(VideoError);
      await writeFile(job().file, '');
    }
  });

  it('has another version when it is another file', async () => {
    const version = (file: string) => createUserVideo({ file }).version;
    const file = await video(3, () => 100);
    const before = version(file);
    expect(version(file)).toBe(before);
    await video(9, (k) => 100 + k);
    expect(version(file)).not.toBe(before);
  });

  it('leaves no file when aborted', async () => {
    const file = await video(50, (k) => k * 4);
    const controller = new AbortController();
    const making = createUserVideo({ file }).make(job(), () => controller.abort(), controller.signal);
    await expect(making).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
    expect(await readdir(folder)).toEqual(['mine.mp4']);
  });
});
