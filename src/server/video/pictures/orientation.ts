import type { Picture } from '../contracts.ts';

/** How a stored picture must be turned to be upright, as EXIF counts it: 1 not at all, 2 mirrored, 3 half a turn, and so on. */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

const TAG = 0x0112;

/** The orientation in a block of EXIF (which is a TIFF file); 1 if it says none, or nothing that can be read. */
export function exifOrientation(exif: Buffer): Orientation {
  try {
    const little = exif.toString('latin1', 0, 2) === 'II';
    if (!little && exif.toString('latin1', 0, 2) !== 'MM') return 1;
    const word = (at: number) => (little ? exif.readUInt16LE(at) : exif.readUInt16BE(at));
    const start = little ? exif.readUInt32LE(4) : exif.readUInt32BE(4);
    for (let i = 0; i < word(start); i++) {
      const entry = start + 2 + 12 * i;
      if (word(entry) !== TAG) continue;
      const value = word(entry + 8);
      return value >= 1 && value <= 8 ? (value as Orientation) : 1;
    }
  } catch {
    // Cameras and editors leave broken blocks behind; the picture is no worse for it.
  }
  return 1;
}

/** Whether width and height change places. */
const liesOnItsSide = (orientation: Orientation): boolean => orientation >= 5;

/** The picture turned upright. */
export function turnUpright(picture: Picture, orientation: Orientation): Picture {
  if (orientation === 1) return picture;
  const { width, height, rgb } = picture;
  const side = liesOnItsSide(orientation);
  const [outWidth, outHeight] = side ? [height, width] : [width, height];
  const out = new Uint8Array(rgb.length);
  const mirrored = [2, 3, 7, 8].includes(orientation);
  const upsideDown = [3, 4, 6, 7].includes(orientation);
  for (let y = 0, at = 0; y < outHeight; y++) {
    for (let x = 0; x < outWidth; x++) {
      const column = side ? y : x;
      const row = side ? x : y;
      const from = 3 * ((upsideDown ? height - 1 - row : row) * width + (mirrored ? width - 1 - column : column));
      out[at++] = rgb[from]!;
      out[at++] = rgb[from + 1]!;
      out[at++] = rgb[from + 2]!;
    }
  }
  return { width: outWidth, height: outHeight, rgb: out };
}
