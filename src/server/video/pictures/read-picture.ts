import type { Picture } from '../contracts.ts';
import { type Header, readHeader } from './header.ts';
import { turnUpright } from './orientation.ts';
import { PictureProblem } from './picture-problem.ts';
import { type Rgba, readPng } from './png.ts';
import { readJpeg, readWebp } from './wasm-decoders.ts';

/** How much a picture may be. */
export type PictureLimits = { readonly bytes: number; readonly pixels: number };

/** What an avatar's picture may have. */
export const PICTURE_LIMITS: PictureLimits = { bytes: 8 * 1024 * 1024, pixels: 16_000_000 };

/** What shows through a picture that is not opaque: a light grey, red, green and blue. */
const GROUND = [234, 232, 228] as const;

/**
 * The picture in a PNG, JPEG or WebP file (told by its first bytes), upright and opaque. Its limits are checked before it is
 * decoded; throws a `PictureProblem` that says what to do.
 */
export async function readPicture(bytes: Uint8Array, limits: PictureLimits = PICTURE_LIMITS): Promise<Picture> {
  if (bytes.length > limits.bytes) {
    const size = `${Math.ceil(bytes.length / 2 ** 20)} MiB, more than ${Math.floor(limits.bytes / 2 ** 20)}`;
    throw new PictureProblem('too_large', `The file has ${size}; save the picture smaller.`);
  }
  const header = readHeader(bytes);
  const { width, height, orientation } = header;
  if (width * height > limits.pixels) {
    const most = `${limits.pixels / 1e6} million`;
    const message = `The picture has ${width} x ${height} pixels, more than ${most}; save it smaller.`;
    throw new PictureProblem('too_large', message);
  }
  const pixels = await decode(header, bytes);
  if (pixels.width !== width || pixels.height !== height)
    throw new PictureProblem('damaged', `The ${header.kind} file contradicts itself; save the picture again.`);
  return turnUpright({ width, height, rgb: opaque(pixels) }, orientation);
}

function decode({ kind, pixelsAt }: Header, bytes: Uint8Array): Promise<Rgba> {
  switch (kind) {
    case 'PNG':
      return readPng(bytes);
    case 'JPEG':
      return readJpeg(bytes, pixelsAt);
    case 'WebP':
      return readWebp(bytes);
  }
}

function opaque({ data }: Rgba): Uint8Array {
  const rgb = new Uint8Array((data.length / 4) * 3);
  for (let from = 0, to = 0; from < data.length; from += 4, to += 3) {
    const share = data[from + 3]! / 255;
    for (let channel = 0; channel < 3; channel++) {
      const value = data[from + channel]!;
      rgb[to + channel] = share === 1 ? value : Math.round(value * share + GROUND[channel]! * (1 - share));
    }
  }
  return rgb;
}
