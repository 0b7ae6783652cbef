import { promisify } from 'node:util';
import { crc32, deflate, inflate } from 'node:zlib';
import type { Picture } from '../contracts.ts';
import { damaged } from './picture-problem.ts';

/** Pixels with opacity: 4 bytes each, red, green, blue and opacity, rows from the top. */
export type Rgba = { readonly width: number; readonly height: number; readonly data: Uint8Array };

type Layout = { readonly width: number; readonly height: number; readonly depth: number; readonly colour: number };

const MAGIC = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
/** Channels by colour type: grey, RGB, palette, grey with opacity, RGB with opacity. */
const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const DEPTHS: Readonly<Record<number, readonly number[]>> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};
/** First column and row of each pass of an interlaced picture, and how far its pixels are apart (PNG, 8.2). */
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;
const WHOLE = [[0, 0, 1, 1]] as const;

const inflated = promisify<Buffer, { maxOutputLength: number }, Buffer>(inflate);
const deflated = promisify<Buffer, { level: number }, Buffer>(deflate);

/** The pixels of a PNG file of any kind (W3C PNG, third edition); throws a `PictureProblem` when it is damaged. */
export async function readPng(bytes: Uint8Array): Promise<Rgba> {
  const chunks = readChunks(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  const header = chunks.find(({ type }) => type === 'IHDR')?.data;
  if (header?.length !== 13) throw damaged('PNG');
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const layout: Layout = { width, height, depth: header[8]!, colour: header[9]! };
  if (!DEPTHS[layout.colour]?.includes(layout.depth) || header[12]! > 1) throw damaged('PNG');
  const palette = chunks.find(({ type }) => type === 'PLTE')?.data;
  const transparent = chunks.find(({ type }) => type === 'tRNS')?.data;
  if (layout.colour === 3 && !palette) throw damaged('PNG');
  const passes = header[12] === 1 ? PASSES : WHOLE;
  const packed = Buffer.concat(chunks.filter(({ type }) => type === 'IDAT').map(({ data }) => data));
  const length = passes.reduce((sum, pass) => sum + passBytes(layout, pass), 0);
  let raw: Buffer;
  try {
    // A few bytes may not become gigabytes.
    raw = await inflated(packed, { maxOutputLength: length });
  } catch (cause) {
    throw damaged('PNG', cause);
  }
  if (raw.length !== length) throw damaged('PNG');
  const data = new Uint8Array(4 * width * height);
  let at = 0;
  for (const pass of passes) {
    const part = raw.subarray(at, (at += passBytes(layout, pass)));
    unpack(part, layout, pass, colours(layout, palette, transparent), data);
  }
  return { width, height, data };
}

function readChunks(file: Buffer): { type: string; data: Buffer }[] {
  const chunks: { type: string; data: Buffer }[] = [];
  for (let at = 8; at + 12 <= file.length; ) {
    const length = file.readUInt32BE(at);
    const type = file.toString('latin1', at + 4, at + 8);
    if (at + 12 + length > file.length) break;
    const data = file.subarray(at + 8, at + 8 + length);
    if (file.readUInt32BE(at + 8 + length) !== crc32(file.subarray(at + 4, at + 8 + length))) throw damaged('PNG');
    if (type === 'IEND') return chunks;
    chunks.push({ type, data });
    at += 12 + length;
  }
  throw damaged('PNG');
}

const rowBytes = ({ depth, colour }: Layout, columns: number): number =>
  Math.ceil((columns * depth * CHANNELS[colour]!) / 8);

type Pass = readonly [left: number, top: number, across: number, down: number];

const passSize = ({ width, height }: Layout, [left, top, across, down]: Pass) => ({
  columns: Math.max(Math.ceil((width - left) / across), 0),
  rows: Math.max(Math.ceil((height - top) / down), 0),
});

function passBytes(layout: Layout, pass: Pass): number {
  const { columns, rows } = passSize(layout, pass);
  return columns === 0 ? 0 : rows * (1 + rowBytes(layout, columns));
}

type Colours = (row: Uint8Array, column: number, out: Uint8Array, at: number) => void;

/** Writes the pixel of a column of an unfiltered row. */
function colours({ depth, colour }: Layout, palette?: Buffer, transparent?: Buffer): Colours {
  const channels = CHANNELS[colour]!;
  const top = 2 ** Math.min(depth, 8) - 1;
  const sample = (row: Uint8Array, index: number): number => {
    if (depth === 8) return row[index]!;
    if (depth === 16) return row[2 * index]!;
    const bit = index * depth;
    return (row[bit >> 3]! >> (8 - depth - (bit & 7))) & top;
  };
  const exact = (row: Uint8Array, index: number): number =>
    depth === 16 ? (row[2 * index]! << 8) | row[2 * index + 1]! : sample(row, index);
  if (colour === 3) {
    return (row, column, out, at) => {
      const index = sample(row, column);
      for (let channel = 0; channel < 3; channel++) out[at + channel] = palette![3 * index + channel] ?? 0;
      out[at + 3] = transparent?.[index] ?? 255;
    };
  }
  const coloured = channels >= 3;
  const clear = transparent && transparent.length >= 2 * channels ? transparent : undefined;
  return (row, column, out, at) => {
    const first = column * channels;
    for (let channel = 0; channel < 3; channel++) {
      out[at + channel] = (sample(row, first + (coloured ? channel : 0)) * 255) / top;
    }
    if (channels === 2 || channels === 4) out[at + 3] = sample(row, first + channels - 1);
    else {
      let same = clear !== undefined;
      for (let i = 0; same && i < channels; i++) same = clear!.readUInt16BE(2 * i) === exact(row, first + i);
      out[at + 3] = same ? 0 : 255;
    }
  };
}

function unpack(part: Buffer, layout: Layout, pass: Pass, colour: Colours, out: Uint8Array): void {
  const { columns, rows } = passSize(layout, pass);
  if (columns === 0) return;
  const length = rowBytes(layout, columns);
  const step = Math.max((layout.depth * CHANNELS[layout.colour]!) >> 3, 1);
  let above: Uint8Array = new Uint8Array(length);
  for (let y = 0; y < rows; y++) {
    const start = y * (1 + length);
    const row = part.subarray(start + 1, start + 1 + length);
    unfilter(part[start]!, row, above, step);
    for (let x = 0; x < columns; x++) {
      const [left, top, across, down] = pass;
      colour(row, x, out, 4 * ((top + y * down) * layout.width + left + x * across));
    }
    above = row;
  }
}

/** Undoes the prediction of a row from its neighbours, in place (PNG, 9.2). */
function unfilter(filter: number, row: Uint8Array, above: Uint8Array, step: number): void {
  if (filter > 4) throw damaged('PNG');
  for (let i = 0; i < row.length && filter > 0; i++) {
    const left = i >= step ? row[i - step]! : 0;
    const up = above[i]!;
    const corner = i >= step ? above[i - step]! : 0;
    if (filter === 1) row[i]! += left;
    else if (filter === 2) row[i]! += up;
    else if (filter === 3) row[i]! += (left + up) >> 1;
    else row[i]! += nearest(left, up, corner);
  }
}

/** Paeth's predictor. */
function nearest(left: number, up: number, corner: number): number {
  const guess = left + up - corner;
  const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

/** The picture as a PNG file. */
export async function writePng({ width, height, rgb }: Picture): Promise<Uint8Array> {
  const length = 3 * width;
  const rows = Buffer.alloc(height * (1 + length));
  for (let y = 0; y < height; y++) {
    const at = y * (1 + length);
    // Always the same predictor: on photos it is the best of the five nearly everywhere.
    rows[at] = 4;
    for (let i = 0; i < length; i++) {
      const here = y * length + i;
      const left = i >= 3 ? rgb[here - 3]! : 0;
      const up = y > 0 ? rgb[here - length]! : 0;
      const corner = i >= 3 && y > 0 ? rgb[here - length - 3]! : 0;
      rows[at + 1 + i] = rgb[here]! - nearest(left, up, corner);
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const packed = await deflated(rows, { level: 6 });
  return Buffer.concat([MAGIC, chunk('IHDR', header), chunk('IDAT', packed), chunk('IEND', Buffer.alloc(0))]);
}

function chunk(type: string, data: Buffer): Buffer {
  const out = Buffer.alloc(12 + data.length);
  out.writeUInt32BE(data.length, 0);
  out.write(type, 4, 'latin1');
  data.copy(out, 8);
  out.writeUInt32BE(crc32(out.subarray(4, 8 + data.length)), 8 + data.length);
  return out;
}
