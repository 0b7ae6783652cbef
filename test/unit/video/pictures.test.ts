import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Picture } from '../../../src/server/video/contracts.ts';
import { cutSquare } from '../../../src/server/video/pictures/cut-square.ts';
import { PictureProblem } from '../../../src/server/video/pictures/picture-problem.ts';
import { writePng } from '../../../src/server/video/pictures/png.ts';
import { readPicture } from '../../../src/server/video/pictures/read-picture.ts';
import {
  cornersOf,
  exif,
  ffmpeg,
  hasFfmpeg,
  jpegOf,
  quarters,
  withExifInJpeg,
  withExifInWebp,
  withPngChunk,
} from './pictures-files.ts';

const [WIDTH, HEIGHT] = [37, 23];
const SOURCE = ['-f', 'lavfi', '-i', `testsrc=size=${WIDTH}x${HEIGHT}`, '-frames:v', '1'];

/** The mean difference of all bytes. */
function difference(some: Picture, others: Uint8Array): number {
  expect(some.rgb.length).toBe(others.length);
  return some.rgb.reduce((sum, value, i) => sum + Math.abs(value - others[i]!), 0) / others.length;
}

/** The problem of bytes that are no good picture. */
async function problemOf(bytes: Uint8Array): Promise<PictureProblem['problem'] | 'fine'> {
  try {
    await readPicture(bytes);
    return 'fine';
  } catch (error) {
    expect(error).toBeInstanceOf(PictureProblem);
    expect((error as Error).message).toMatch(/^[^\n]+\.$/);
    return (error as PictureProblem).problem;
  }
}

// It needs an ffmpeg, whose reading of the same files these are held against.
describe.skipIf(!hasFfmpeg)('reading pictures that ffmpeg wrote', () => {
  const kinds = 'rgb24 rgba rgb48be rgba64be gray ya8 ya16be gray16be pal8 monob'.split(' ');
  const pngs = [
    ...kinds.map((kind) => ({ kind, flags: [] })),
    ...['rgb24', 'rgba64be', 'pal8', 'monob'].map((kind) => ({
      kind: `${kind}, interlaced`,
      flags: ['-flags', '+ildct'],
    })),
  ];
  it.each(pngs)('reads PNG: $kind', async ({ kind, flags }) => {
    const format = kind.split(',')[0]!;
    const png = ffmpeg([...SOURCE, '-pix_fmt', format, ...flags, '-c:v', 'png', '-f', 'image2pipe']);
    expect(png[28]).toBe(flags.length > 0 ? 1 : 0);
    const picture = await readPicture(png);
    expect(picture).toMatchObject({ width: WIDTH, height: HEIGHT });
    const same = ffmpeg(['-f', 'image2pipe', '-i', 'pipe:0', '-pix_fmt', 'rgb24', '-f', 'rawvideo'], png);
    // Sixteen bits are rounded in one way or the other.
    expect(difference(picture, same)).toBeLessThan(/16|48|64/.test(format) ? 0.6 : 0.01);
  });

  it.each([
    { kind: 'lossy', flags: ['-q:v', '95'], limit: 8 },
    { kind: 'lossless', flags: ['-lossless', '1'], limit: 0.01 },
  ])('reads WebP: $kind', async ({ flags, limit }) => {
    const picture = quarters(64, 32);
    const raw = ['-f', 'rawvideo', '-s', '64x32', '-pix_fmt', 'rgb24', '-i', 'pipe:0'];
    const read = await readPicture(ffmpeg([...raw, ...flags, '-c:v', 'libwebp', '-f', 'webp'], picture.rgb));
    expect(read).toMatchObject({ width: 64, height: 32 });
    expect(difference(read, picture.rgb)).toBeLessThan(limit);
  });

  it('turns a WebP upright', async () => {
    const webp = ffmpeg(
      ['-f', 'rawvideo', '-s', '16x8', '-pix_fmt', 'rgb24', '-i', 'pipe:0', '-lossless', '1', '-f', 'webp'],
      quarters(16, 8).rgb,
    );
    for (const block of [exif(6), Buffer.concat([Buffer.from('Exif\0\0'), exif(6, 'II')])]) {
      const picture = await readPicture(withExifInWebp(webp, 16, 8, block));
      expect([picture.width, picture.height, cornersOf(picture)]).toEqual([8, 16, 'brwg']);
    }
  });
});

describe('reading pictures', () => {
  it.each([
    { kind: 'ordinary', options: {} },
    { kind: 'progressive', options: { progressive: true } },
    { kind: 'sequential', options: { progressive: false, baseline: true } },
  ])('reads JPEG: $kind', async ({ options }) => {
    const picture = quarters(32, 16);
    const read = await readPicture(await jpegOf(picture, options));
    expect(read).toMatchObject({ width: 32, height: 16 });
    expect(difference(read, picture.rgb)).toBeLessThan(4);
  });

  it('reads a grey JPEG', async () => {
    const grey: Picture = { width: 16, height: 16, rgb: new Uint8Array(768).fill(100) };
    const read = await readPicture(await jpegOf(grey, { color_space: 1 }));
    expect(difference(read, grey.rgb)).toBeLessThan(2);
  });

  it('refuses a JPEG for printers', async () => {
    const jpeg = await jpegOf(quarters(16, 16), { progressive: false });
    const frame = jpeg.indexOf(Buffer.from([0xff, 0xc0]));
    jpeg[frame + 9] = 4;
    await expect(readPicture(jpeg)).rejects.toThrow(/CMYK.*save it with RGB/);
  });

  // What the upper left, upper right, lower left and lower right quarter become (TIFF 6.0, Orientation).
  it.each([
    [1, 'rgbw'],
    [2, 'grwb'],
    [3, 'wbgr'],
    [4, 'bwrg'],
    [5, 'rbgw'],
    [6, 'brwg'],
    [7, 'wgbr'],
    [8, 'gwrb'],
  ])('turns orientation %i upright, in JPEG and PNG', async (orientation, corners) => {
    const stored = quarters(32, 16);
    const jpeg = withExifInJpeg(await jpegOf(stored), exif(orientation, 'II'));
    const png = withPngChunk(await writePng(stored), 'eXIf', exif(orientation));
    for (const file of [jpeg, png]) {
      const picture = await readPicture(file);
      expect(cornersOf(picture)).toBe(corners);
      expect(picture.width).toBe(orientation < 5 ? 32 : 16);
    }
  });

  it('does without EXIF that cannot be read', async () => {
    const broken = [exif(9), exif(6).subarray(0, 15), Buffer.from('nonsense'), Buffer.alloc(0)];
    for (const block of broken) {
      expect(cornersOf(await readPicture(withExifInJpeg(await jpegOf(quarters(16, 16)), block)))).toBe('rgbw');
    }
  });

  it('puts what is not opaque on a light ground', async () => {
    const grey = Buffer.from(await writePng({ width: 2, height: 2, rgb: new Uint8Array(12) }));
    // Black is not seen.
    const { rgb } = await readPicture(withPngChunk(grey, 'tRNS', Buffer.alloc(6)));
    expect(Math.min(...rgb)).toBeGreaterThan(200);
  });

  it('reads back what it writes', async () => {
    const size = fc.integer({ min: 1, max: 20 });
    await fc.assert(
      fc.asyncProperty(size, size, fc.infiniteStream(fc.nat(255)), async (width, height, numbers) => {
        const rgb = Uint8Array.from([...numbers.take(3 * width * height)]);
        expect(await readPicture(await writePng({ width, height, rgb }))).toEqual({ width, height, rgb });
      }),
      { numRuns: 20 },
    );
  });
});

describe('refusing pictures', () => {
  it('takes no picture that moves', async () => {
    const webp = withExifInWebp(Buffer.from('RIFF....WEBP'), 16, 8, exif(1));
    webp[20]! |= 2;
    await expect(readPicture(webp)).rejects.toThrow(/animated WebP; save one of its pictures/);
    const png = withPngChunk(await writePng(quarters(4, 4)), 'acTL', Buffer.alloc(8));
    await expect(readPicture(png)).rejects.toThrow(/animated PNG; save one of its pictures/);
    expect(await problemOf(webp)).toBe('format');
  });

  it('goes by the first bytes, not by a name', async () => {
    for (const bytes of ['', 'GIF89a……', '<svg xmlns="http://www.w3.org/2000/svg"/>', '%PDF-1.7', 'RIFF\0\0\0\0WAVE']) {
      expect(await problemOf(Buffer.from(bytes))).toBe('format');
    }
  });

  it('knows from the header alone that a picture is too large', async () => {
    const png = Buffer.from(await writePng(quarters(4, 4)));
    png.writeUInt32BE(60_000, 16);
    png.writeUInt32BE(60_000, 20);
    await expect(readPicture(png)).rejects.toThrow('60000 x 60000 pixels, more than 16 million; save it smaller.');
    expect(await problemOf(png)).toBe('too_large');
    expect(await problemOf(new Uint8Array(8 * 2 ** 20 + 1))).toBe('too_large');
    const few = { bytes: 1000, pixels: 100 };
    await expect(readPicture(await jpegOf(quarters(16, 16)), { ...few, bytes: 1e6 })).rejects.toThrow(/16 x 16 pixels/);
    expect(await readPicture(await writePng(quarters(8, 8)), few)).toMatchObject({ width: 8 });
  });

  it('says that a file is damaged, wherever it ends', async () => {
    const whole = [await jpegOf(quarters(32, 32)), Buffer.from(await writePng(quarters(32, 32)))];
    for (const file of whole) {
      for (const share of [0.1, 0.3, 0.6, 0.9, 0.99]) {
        expect(await problemOf(file.subarray(0, Math.floor(file.length * share)))).toBe('damaged');
      }
    }
  });

  it('is not deceived by a smaller picture inside', async () => {
    const [inside, whole] = [await jpegOf(quarters(8, 8)), await jpegOf(quarters(32, 32))];
    const file = withExifInJpeg(whole, Buffer.concat([exif(1), inside]));
    expect(await readPicture(file)).toMatchObject({ width: 32 });
    expect(await problemOf(file.subarray(0, file.length - 20))).toBe('damaged');
  });

  it('says that a PNG is damaged when a byte is not what it was', async () => {
    const png = Buffer.from(await writePng(quarters(32, 32)));
    for (let at = 8; at < png.length; at++) {
      const changed = Buffer.from(png);
      changed[at]! ^= 0x11;
      expect(await problemOf(changed)).not.toBe('fine');
    }
  });

  it('stands any bytes behind a good beginning', { timeout: 60_000 }, async () => {
    const starts = [await jpegOf(quarters(16, 16)), Buffer.from(await writePng(quarters(16, 16)))].map((file) =>
      file.subarray(0, 40),
    );
    starts.push(Buffer.from('RIFF\x40\0\0\0WEBPVP8L\x20\0\0\0\x2f\x0f\xc0\x03\0', 'latin1'));
    starts.push(Buffer.from('RIFF\x40\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x0f\0\0\x0f\0\0', 'latin1'));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 300 }), async (start, rest) => {
        await problemOf(Buffer.concat([start, rest, Buffer.from([0xff, 0xd9])]));
      }),
      { numRuns: 60 },
    );
  });
});

describe('cutting a square', () => {
  it('keeps a picture that is not resized', () => {
    const picture = quarters(12, 12);
    expect(cutSquare(picture, 0, 0, 12, 12)).toEqual(picture);
  });

  it('makes fine stripes grey, not jagged', () => {
    const rgb = new Uint8Array(3 * 90 * 90).map((_, i) => (Math.floor(i / 3) % 2 ? 255 : 0));
    const small = cutSquare({ width: 90, height: 90, rgb }, 0, 0, 90, 20);
    expect(Math.min(...small.rgb)).toBeGreaterThan(100);
    expect(Math.max(...small.rgb)).toBeLessThan(155);
  });

  it('goes on with the outermost pixels beside the picture', () => {
    const cut = cutSquare(quarters(10, 10), -10, -10, 30, 30);
    expect(cornersOf(cut)).toBe('rgbw');
    expect(cut).toMatchObject({ width: 30, height: 30 });
  });

  it('takes the square that is asked for', () => {
    expect(cornersOf(cutSquare(quarters(20, 10), 10, 0, 5, 40))).toBe('gggg');
    expect(cornersOf(cutSquare(quarters(20, 10), 5, 0, 10, 7))).toBe('rgbw');
  });
});
