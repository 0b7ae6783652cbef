import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { flashFrames, flashOffsets, flashSpeech } from '../../src/bench/flash-clip.ts';
import { type Picture, VIDEO_FPS, VideoError } from '../../src/server/video/contracts.ts';
import type { Codec } from '../../src/server/video/mux/codec.ts';
import { boxes, trackSeconds } from './muxer-boxes.ts';

const SIZE = 128;
const forever = new AbortController().signal;

/** `count` frames and the sound to them at `rate`. */
const clip = (count: number, rate: number, chunk = 1_000) => ({
  frames: flashFrames(count, SIZE),
  speech: flashSpeech(Math.round((count * rate) / VIDEO_FPS), rate, chunk),
  format: { width: SIZE, height: SIZE, rate },
});

/** A promise and how it is kept. */
function gate() {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

async function* onceOpen<T>(opened: Promise<void>, items: AsyncIterable<T>): AsyncGenerator<T> {
  await opened;
  yield* items;
}

/** Lets `first` items through and then waits for `opened`. */
async function* inTwo<T>(items: AsyncIterable<T>, first: number, opened: Promise<void>): AsyncGenerator<T> {
  let given = 0;
  for await (const item of items) {
    if (given++ === first) await opened;
    yield item;
  }
}

async function* failing<T>(items: AsyncIterable<T>, first: number): AsyncGenerator<T> {
  let given = 0;
  for await (const item of items) {
    if (given++ === first) throw new Error('the source broke');
    yield item;
  }
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const got: T[] = [];
  for await (const item of items) got.push(item);
  return got;
}

/** What every Muxer must do, and what else a Codec does; `leftovers` are the processes that one has left behind. */
export function muxerSuite(name: string, open: () => Promise<Codec>, leftovers: () => Promise<unknown[]>): void {
  describe(`${name}, a Muxer`, () => {
    let muxer: Codec;
    let folder: string;
    let file: string;
    beforeAll(async () => {
      muxer = await open();
    });
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'voice-chat-mux-'));
      file = join(folder, 'clip.mp4');
    });
    afterEach(() => rm(folder, { recursive: true, force: true }));
    afterAll(async () => {
      await muxer[Symbol.asyncDispose]();
      await muxer[Symbol.asyncDispose]();
      expect(await leftovers()).toEqual([]);
    });

    const mux = ({ frames, speech, format }: ReturnType<typeof clip>, signal = forever) =>
      muxer.mux(frames, speech, format, file, signal);
    /** The stream as one, also as a file that can be looked at. */
    const made = async (what: ReturnType<typeof clip>) => {
      const stream = Buffer.concat(await all(mux(what)));
      const streamed = join(folder, 'stream.mp4');
      await writeFile(streamed, stream);
      return { stream, streamed };
    };
    const seconds = async (path: string) => (await all(muxer.decodeVideo(path, 16, forever))).length / VIDEO_FPS;

    it('says what it is, and what its clips are, as browsers want it', () => {
      expect(muxer.name).toMatch(/\S/);
      expect(muxer.mime).toMatch(/^video\/mp4; codecs="avc1\.[0-9A-F]{6}, mp4a\.40\.2"$/);
    });

    it.each([
      [16_000, 333],
      [22_050, 441],
      [24_000, 2_400],
      [44_100, 50_000],
      [48_000, 1_024],
    ])('keeps tone and flash together at %i Hz, fed in chunks of %i', async (rate, chunk) => {
      const { streamed } = await made(clip(60, rate, chunk));
      for (const path of [streamed, file]) {
        const offsets = await flashOffsets(path);
        expect(offsets).toHaveLength(3);
        for (const offset of offsets) expect(Math.abs(offset)).toBeLessThanOrEqual(10);
      }
    });

    it('does not drift in a minute', async () => {
      const { streamed } = await made(clip(60 * VIDEO_FPS, 22_050, 2_205));
      for (const path of [streamed, file]) {
        const offsets = await flashOffsets(path);
        expect(offsets).toHaveLength(60);
        expect(Math.abs(offsets.at(-1)!)).toBeLessThanOrEqual(20);
      }
    });

    it('streams fragments of less than half a second, and writes a whole file with its index in front', async () => {
      const { stream } = await made(clip(50, 24_000));
      const sent = boxes(stream).map(({ type }) => type);
      expect(sent.slice(0, 2)).toEqual(['ftyp', 'moov']);
      expect(sent.filter((type) => type === 'moof').length).toBeGreaterThanOrEqual(4);
      const kept = boxes(await readFile(file)).map(({ type }) => type);
      expect(kept).not.toContain('moof');
      expect(kept.indexOf('moov')).toBeGreaterThan(-1);
      expect(kept.indexOf('moov')).toBeLessThan(kept.indexOf('mdat'));
      expect(await readdir(folder)).toEqual(expect.arrayContaining(['clip.mp4', 'stream.mp4']));
      expect(await readdir(folder)).toHaveLength(2);
    });

    it('gives the first pictures while the rest is still to come', async () => {
      const { open, opened } = gate();
      const { frames, speech, format } = clip(75, 24_000, 960);
      const halves = { frames: inTwo(frames, 15, opened), speech: inTwo(speech, 20, opened), format };
      let begun = Buffer.alloc(0);
      for await (const piece of mux(halves)) {
        begun = Buffer.concat([begun, piece]);
        if (boxes(begun).some(({ type }) => type === 'mdat')) open();
      }
      expect(await seconds(file)).toBe(3);
    });

    it('takes all of the speech before the first frame', async () => {
      const { open, opened } = gate();
      const { frames, speech, format } = clip(40 * VIDEO_FPS, 24_000, 24_000);
      const heard = async function* () {
        // All but the last chunk has been taken when the frames begin.
        let chunks = 0;
        for await (const chunk of speech) {
          if (++chunks === 4) open();
          yield chunk;
        }
      };
      await all(mux({ frames: onceOpen(opened, frames), speech: heard() as AsyncGenerator<Float32Array>, format }));
      expect(await seconds(file)).toBe(40);
    });

    it('takes frames that are ahead of the speech', async () => {
      const { open, opened } = gate();
      const { frames, speech, format } = clip(30, 24_000);
      const shown = async function* () {
        let given = 0;
        for await (const frame of frames) {
          if (++given === 10) open();
          yield frame;
        }
      };
      await all(mux({ frames: shown() as AsyncGenerator<Picture>, speech: inTwo(speech, 1, opened), format }));
      expect(await seconds(file)).toBe(1.2);
    });

    it.each([
      [1, 960],
      [1, 0],
      [1, 1],
      [2, 1_000],
    ])('makes a clip of %i frames and %i samples', async (count, samples) => {
      const format = { width: SIZE, height: SIZE, rate: 24_000 };
      const { stream } = await made({
        frames: flashFrames(count, SIZE),
        speech: flashSpeech(samples, 24_000, 500),
        format,
      });
      expect(stream.length).toBeGreaterThan(0);
      expect(await seconds(file)).toBe(count / VIDEO_FPS);
    });

    it('holds the last frame until the speech is over', async () => {
      const { format, speech } = clip(50, 24_000);
      await all(mux({ frames: flashFrames(30, SIZE), speech, format }));
      expect(await seconds(file)).toBe(2);
    });

    it('goes on in silence until the last frame is over', async () => {
      const { format, frames } = clip(50, 24_000);
      await all(mux({ frames, speech: flashSpeech(12_000, 24_000, 1_000), format }));
      const tracks = trackSeconds(await readFile(file));
      expect(tracks).toHaveLength(2);
      for (const track of tracks) expect(Math.abs(track - 2)).toBeLessThan(0.1);
    });

    it('refuses to make a clip of nothing', async () => {
      await expect(all(mux(clip(0, 24_000)))).rejects.toThrow(VideoError);
      expect(await readdir(folder)).toEqual([]);
    });

    it.each(['frames', 'speech'] as const)(
      'tells of %s that break, leaves nothing, and stays usable',
      async (which) => {
        const broken = clip(50, 24_000);
        const source = failing(broken[which] as AsyncGenerator<Picture & Float32Array>, 12);
        await expect(all(mux({ ...broken, [which]: source }))).rejects.toThrow('the source broke');
        expect(await readdir(folder)).toEqual([]);
        await all(mux(clip(5, 24_000)));
        expect(await seconds(file)).toBe(0.2);
      },
    );

    it('ends without an error when aborted, and leaves no file', async () => {
      const controller = new AbortController();
      const { open, opened } = gate();
      const { frames, speech, format } = clip(75, 24_000, 960);
      const endless = { frames: inTwo(frames, 40, opened), speech, format };
      for await (const _ of mux(endless, controller.signal)) controller.abort();
      open();
      expect(await readdir(folder)).toEqual([]);
      await all(mux(clip(5, 24_000), AbortSignal.abort()));
      expect(await readdir(folder)).toEqual([]);
    });

    it('leaves no file when aborted after its reader has stopped reading', async () => {
      const controller = new AbortController();
      const reader = mux(clip(10_000, 24_000), controller.signal)[Symbol.asyncIterator]();
      expect((await reader.next()).done).toBe(false);
      controller.abort();
      await vi.waitFor(async () => expect(await readdir(folder)).toEqual([]), { timeout: 10_000 });
    });

    it('ends with its reader, though both inputs would go on', async () => {
      const { open, opened } = gate();
      const { frames, speech, format } = clip(10_000, 24_000);
      for await (const _ of mux({ frames: inTwo(frames, 100, opened), speech, format })) break;
      open();
      expect(await readdir(folder)).toEqual([]);
    });

    it('makes several clips at once', async () => {
      const files = ['a', 'b', 'c'].map((part) => join(folder, `${part}.mp4`));
      await Promise.all(
        files.map((path, i) => {
          const { frames, speech, format } = clip(25 * (i + 1), 24_000);
          return all(muxer.mux(frames, speech, format, path, forever));
        }),
      );
      expect(await Promise.all(files.map(seconds))).toEqual([1, 2, 3]);
    });

    it('writes a video that reads back with the same frames in the same colours', async () => {
      const colours = [
        [200, 60, 40],
        [40, 180, 70],
        [50, 70, 200],
        [224, 172, 150],
        [20, 20, 20],
        [245, 245, 245],
      ] as const;
      const plain = async function* (): AsyncGenerator<Picture> {
        for (const colour of colours) {
          const rgb = new Uint8Array(SIZE * SIZE * 3).map((_, i) => colour[i % 3]!);
          for (let k = 0; k < 5; k++) yield { width: SIZE, height: SIZE, rgb };
        }
      };
      const counted: number[] = [];
      await muxer.encodeVideo(plain(), { width: SIZE, height: SIZE }, file, (done) => counted.push(done), forever);
      expect(counted).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
      expect(await readdir(folder)).toEqual(['clip.mp4']);
      const shown = await all(muxer.decodeVideo(file, 64, forever));
      expect(shown).toHaveLength(30);
      for (const [k, picture] of shown.entries()) {
        expect(picture).toMatchObject({ width: 64, height: 64 });
        const middle = (32 * 64 + 32) * 3;
        for (const c of [0, 1, 2]) {
          expect(Math.abs(picture.rgb[middle + c]! - colours[Math.floor(k / 5)]![c]!)).toBeLessThanOrEqual(5);
        }
      }
    });

    it('cuts the middle of a wide video to a square', async () => {
      const [width, height] = [256, 128];
      const rgb = new Uint8Array(width * height * 3).map((_, i) => (Math.floor(i / 3) % width < 64 ? 255 : 60));
      const wide = async function* () {
        for (let k = 0; k < 3; k++) yield { width, height, rgb };
      };
      await muxer.encodeVideo(wide(), { width, height }, file, () => {}, forever);
      const [first] = await all(muxer.decodeVideo(file, 64, forever));
      expect(first!.rgb.every((value) => value < 120 || value > 200)).toBe(true);
      expect(first!.rgb.filter((value) => value > 150).length).toBeLessThan(64 * 3 * 4);
    });

    it('leaves no video behind that was aborted, or whose frames broke', async () => {
      const size = { width: SIZE, height: SIZE };
      const controller = new AbortController();
      const frames = flashFrames(10_000, SIZE);
      const aborted = muxer.encodeVideo(
        frames,
        size,
        file,
        (done) => done === 5 && controller.abort(),
        controller.signal,
      );
      await expect(aborted).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
      const broken = muxer.encodeVideo(failing(flashFrames(9, SIZE), 4), size, file, () => {}, forever);
      await expect(broken).rejects.toThrow('the source broke');
      expect(await readdir(folder)).toEqual([]);
    });

    it('says of a file that it is no video', async () => {
      await writeFile(file, 'nothing of the kind');
      await expect(all(muxer.decodeVideo(file, 64, forever))).rejects.toThrow(VideoError);
      await expect(all(muxer.decodeVideo(join(folder, 'gone.mp4'), 64, forever))).rejects.toThrow(VideoError);
    });
  });
}
