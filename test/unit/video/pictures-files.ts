import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { crc32 } from 'node:zlib';
import type { Picture } from '../../../src/server/video/contracts.ts';

/** Whether there is an ffmpeg that can make pictures. */
export const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0;

/** What ffmpeg makes of the first input, as `args` say; its standard output. */
export function ffmpeg(args: readonly string[], input: Uint8Array = new Uint8Array()): Buffer {
  const { status, stdout, stderr } = spawnSync('ffmpeg', ['-v', 'error', ...args, 'pipe:1'], {
    input,
    maxBuffer: 64 * 2 ** 20,
  });
  if (status !== 0) throw new Error(String(stderr));
  return stdout;
}

/** Four plain quarters: red, green, blue and white, from the upper left one on. */
export function quarters(width: number, height: number): Picture {
  const colours = [
    [255, 0, 0],
    [0, 255, 0],
    [0, 0, 255],
    [255, 255, 255],
  ];
  const rgb = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      rgb.set(colours[(y < height / 2 ? 0 : 2) + (x < width / 2 ? 0 : 1)]!, 3 * (y * width + x));
    }
  }
  return { width, height, rgb };
}

/** Which quarter's colour the corners have: upper left, upper right, lower left, lower right. */
export function cornersOf({ width, height, rgb }: Picture): string {
  return [0, width - 1, (height - 1) * width, height * width - 1]
    .map((at) => {
      const [red, green, blue] = [0, 1, 2].map((channel) => rgb[3 * at + channel]! > 127);
      return red ? (green ? 'w' : 'r') : green ? 'g' : blue ? 'b' : '?';
    })
    .join('');
}

/** A JPEG by mozjpeg; `progressive` and `color_space` (1 is grey) as its encoder has them. */
export async function jpegOf({ width, height, rgb }: Picture, options: object = {}): Promise<Buffer> {
  const require = createRequire(import.meta.url);
  const codec = '@jsquash/jpeg/codec/enc/mozjpeg_enc';
  const [wasmBinary, { default: create }, { defaultOptions }] = await Promise.all([
    readFile(require.resolve(`${codec}.wasm`)),
    import(`${codec}.js`),
    import('@jsquash/jpeg/meta.js' as string),
  ]);
  const encoder = await create({ noInitialRun: true, wasmBinary });
  const rgba = new Uint8Array(4 * width * height).map((_, i) => (i % 4 === 3 ? 255 : rgb[(i >> 2) * 3 + (i & 3)]!));
  return Buffer.from(encoder.encode(rgba, width, height, { ...defaultOptions, quality: 95, ...options }));
}

/** A block of EXIF that says nothing but the orientation. */
export function exif(orientation: number, order: 'II' | 'MM' = 'MM'): Buffer {
  const block = Buffer.alloc(26);
  const short = (value: number, at: number) =>
    order === 'II' ? block.writeUInt16LE(value, at) : block.writeUInt16BE(value, at);
  const long = (value: number, at: number) =>
    order === 'II' ? block.writeUInt32LE(value, at) : block.writeUInt32BE(value, at);
  block.write(order, 0, 'latin1');
  short(42, 2);
  long(8, 4);
  short(1, 8);
  short(0x0112, 10);
  short(3, 12);
  long(1, 14);
  short(orientation, 18);
  return block;
}

/** The JPEG with a block of EXIF. */
export function withExifInJpeg(jpeg: Buffer, block: Buffer): Buffer {
  const payload = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), block]);
  const head = Buffer.from([0xff, 0xe1, (payload.length + 2) >> 8, (payload.length + 2) & 255]);
  return Buffer.concat([jpeg.subarray(0, 2), head, payload, jpeg.subarray(2)]);
}

/** The PNG with a chunk more, behind its header. */
export function withPngChunk(png: Uint8Array, type: string, data: Buffer): Buffer {
  const chunk = Buffer.alloc(12 + data.length);
  chunk.writeUInt32BE(data.length, 0);
  chunk.write(type, 4, 'latin1');
  data.copy(chunk, 8);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, 8 + data.length)), 8 + data.length);
  return Buffer.concat([png.subarray(0, 33), chunk, png.subarray(33)]);
}

/** The plain WebP as an extended one with a block of EXIF. */
export function withExifInWebp(webp: Buffer, width: number, height: number, block: Buffer): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const head = Buffer.alloc(8);
    head.write(type, 0, 'latin1');
    head.writeUInt32LE(data.length, 4);
    return Buffer.concat([head, data, Buffer.alloc(data.length & 1)]);
  };
  const extended = Buffer.alloc(10);
  extended[0] = 8;
  extended.writeUIntLE(width - 1, 4, 3);
  extended.writeUIntLE(height - 1, 7, 3);
  const body = Buffer.concat([chunk('VP8X', extended), webp.subarray(12), chunk('EXIF', block)]);
  const head = Buffer.from('RIFF....WEBP', 'latin1');
  head.writeUInt32LE(body.length + 4, 4);
  return Buffer.concat([head, body]);
}
