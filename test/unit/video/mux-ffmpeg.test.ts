import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { flashFrames, flashSpeech } from '../../../src/bench/flash-clip.ts';
import { VideoError } from '../../../src/server/video/contracts.ts';
import { findFfmpeg, locate } from '../../../src/server/video/mux/ffmpeg.ts';
import { ffmpegClip } from '../../../src/server/video/mux/ffmpeg-clip.ts';
import { chooseEncoder } from '../../../src/server/video/mux/ffmpeg-encoders.ts';
import { FfmpegProcess, runFfmpeg } from '../../../src/server/video/mux/ffmpeg-process.ts';

const signal = new AbortController().signal;
const installed = await findFfmpeg({ offline: true }, signal).catch(() => undefined);
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'voice-chat-ffmpeg-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A folder as `dpkg -x` would leave it: ffmpeg, and in place of its packages' libraries copies of those installed here. */
async function unpackedRoot(): Promise<{ root: string; copied: string[] }> {
  const root = join(folder, 'root');
  const libraries = join(root, 'usr/lib/x86_64-linux-gnu');
  const deeper = join(libraries, 'pulseaudio');
  await mkdir(deeper, { recursive: true });
  await mkdir(join(root, 'usr/bin'), { recursive: true });
  const program = execFileSync('which', ['ffmpeg'], { encoding: 'utf8' }).trim();
  await copyFile(program, join(root, 'usr/bin/ffmpeg'));
  const needed = [
    ...execFileSync('ldd', [program], { encoding: 'utf8' }).matchAll(/=> (\S+\/lib(?:av|sw|x264|pulse)\S+)/g),
  ];
  for (const [, path] of needed) {
    await copyFile(path!, join(path!.includes('pulse') ? deeper : libraries, basename(path!)));
  }
  return { root, copied: needed.map(([, path]) => basename(path!)) };
}

describe('ffmpeg that is not installed', () => {
  it('is a sentence that says how to get it, or what to use in its place', async () => {
    const error = await findFfmpeg({ offline: true, cacheDir: folder }, signal, 'ffmpeg-of-nobody').catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(VideoError);
    expect((error as Error).message).toMatch(/apt-get install ffmpeg/);
    expect((error as Error).message).toMatch(/video\.encoder: webcodecs/);
  });

  it.runIf(installed && process.platform === 'linux' && process.arch === 'x64')(
    'runs from a folder of unpacked packages, with the libraries that lie there',
    async () => {
      const { root, copied } = await unpackedRoot();
      const program = await locate([root]);
      expect(program?.command).toBe(join(root, 'usr/bin/ffmpeg'));
      // What it has mapped once it has given a picture on shows which libraries it really took.
      const raw = ['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', '2x2'];
      const waiting = new FfmpegProcess(program!, [...raw, '-i', 'pipe:3', ...raw, '-flush_packets', '1', 'pipe:1'], 1);
      for (let k = 0; k < 100; k++) await waiting.write(0, new Uint8Array(12));
      waiting.output.resume();
      await once(waiting.output, 'data');
      const maps = await readFile(`/proc/${waiting.pid}/maps`, 'utf8');
      await waiting.kill();
      expect(copied.length).toBeGreaterThan(3);
      for (const name of copied) expect(maps).toMatch(new RegExp(`${root}/\\S*${name.replaceAll('.', '\\.')}`));
      expect((await runFfmpeg(program!, ['-version'], signal)).toString()).toContain('ffmpeg version');
    },
  );
});

describe.runIf(installed)('one run of ffmpeg', () => {
  const start = (...output: string[]) =>
    new FfmpegProcess(
      installed!,
      [
        ...['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', '64x64', '-r', '25', '-probesize', '32', '-i', 'pipe:3'],
        ...['-f', 's16le', '-ar', '24000', '-probesize', '32', '-i', 'pipe:4', ...output],
      ],
      2,
    );
  const inputs = (frames: number) => ({
    frames: flashFrames(frames, 64),
    speech: flashSpeech(frames * 960, 24_000, 960),
    rate: 24_000,
  });
  const file = () => join(folder, 'clip.mp4');
  const all = async (ffmpeg: FfmpegProcess, frames = 10_000) => {
    for await (const _ of ffmpegClip(installed!, ffmpeg, inputs(frames), file(), signal));
  };

  it('that dies in the middle is an error, and leaves nothing', async () => {
    const ffmpeg = start('-c:v', 'mpeg4', '-f', 'mpegts', 'pipe:1');
    const clip = ffmpegClip(installed!, ffmpeg, inputs(10_000), file(), signal);
    expect((await clip.next()).done).toBe(false);
    process.kill(ffmpeg.pid!, 'SIGKILL');
    const rest = (async () => {
      for await (const _ of clip);
    })();
    await expect(rest).rejects.toThrow(
      new VideoError("The clip's encoder failed: it was killed; see whether the machine is short of memory."),
    );
    expect(await readdir(folder)).toEqual([]);
  });

  it('that complains is an error with its last line', async () => {
    await expect(all(start('-c:v', 'no_such_encoder', '-f', 'mpegts', 'pipe:1'))).rejects.toThrow(/no_such_encoder/);
    expect(await readdir(folder)).toEqual([]);
  });

  it('that cannot be started is an error with its reason', async () => {
    const ffmpeg = new FfmpegProcess({ command: join(folder, 'none'), libraries: [] }, [], 2);
    await expect(all(ffmpeg)).rejects.toThrow(/ENOENT/);
  });

  it('never reads what a playlist names on the network', async () => {
    const list = join(folder, 'list.m3u8');
    await writeFile(list, '#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n');
    const { decodeVideo } = await import('../../../src/server/video/mux/ffmpeg-video.ts');
    const read = async () => {
      for await (const _ of decodeVideo(installed!, list, 64, signal));
    };
    await expect(read()).rejects.toThrow(VideoError);
  });
});

describe.runIf(installed && process.platform !== 'win32')('the encoder', () => {
  /** An ffmpeg that encodes by these encoders only, as if card, driver or library of the others were missing. */
  async function ffmpegWith(...works: string[]): Promise<{ command: string; libraries: string[] }> {
    const made = join(folder, 'made.mp4');
    const trial = ['-f', 'lavfi', '-i', 'color=s=64x64', '-frames:v', '1', '-c:v', 'libx264', '-profile:v', 'high'];
    await runFfmpeg(installed!, [...trial, '-pix_fmt', 'yuv420p', `file:${made}`], signal);
    const command = join(folder, 'ffmpeg');
    const cases = works.map((name) => `*"-c:v ${name} "*) exec cat '${made}' ;;`).join(' ');
    await writeFile(command, `#!/bin/sh\ncase "$*" in ${cases} *) exit 1 ;; esac\n`);
    await chmod(command, 0o755);
    return { command, libraries: [] };
  }

  it('is that of a card where it works', async () => {
    const { encoder, codec } = await chooseEncoder(await ffmpegWith('h264_nvenc', 'libx264'), signal);
    expect(encoder.name).toBe('h264_nvenc');
    expect(codec).toMatch(/^avc1\.64/);
  });

  it('is another one where the card has none, though ffmpeg lists it', async () => {
    expect((await chooseEncoder(await ffmpegWith('libx264'), signal)).encoder.name).toBe('libx264');
  });

  it('is missed in a sentence where none works', async () => {
    await expect(chooseEncoder(await ffmpegWith('none'), signal)).rejects.toThrow(
      /no working H\.264 encoder .*libx264/,
    );
  });
});
