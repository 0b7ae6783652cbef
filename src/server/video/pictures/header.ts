import { exifOrientation, type Orientation } from './orientation.ts';
import { damaged, PictureProblem } from './picture-problem.ts';

/** What the beginning of a picture file says; the size is that of the stored picture, before it is turned upright. */
export type Header = {
  readonly kind: 'PNG' | 'JPEG' | 'WebP';
  readonly width: number;
  readonly height: number;
  readonly orientation: Orientation;
  /** The byte behind which the pixels are; before it a smaller picture may be hidden. */
  readonly pixelsAt: number;
};

const PNG_MAGIC = '\x89PNG\r\n\x1a\n';

/** Reads the header of a PNG, JPEG or WebP file, told by its first bytes, without decoding; throws a `PictureProblem`. */
export function readHeader(bytes: Uint8Array): Header {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const header = read(file);
  if (!header) {
    throw new PictureProblem('format', 'This is no picture that can be read here; choose a PNG, JPEG or WebP file.');
  }
  if (!(header.width > 0 && header.height > 0)) throw damaged(header.kind);
  return header;
}

function read(file: Buffer): Header | undefined {
  if (file.toString('latin1', 0, 8) === PNG_MAGIC) return within('PNG', () => pngHeader(file));
  if (file[0] === 0xff && file[1] === 0xd8 && file[2] === 0xff) return within('JPEG', () => jpegHeader(file));
  const isRiff = file.toString('latin1', 0, 4) === 'RIFF' && file.toString('latin1', 8, 12) === 'WEBP';
  return isRiff ? within('WebP', () => webpHeader(file)) : undefined;
}

function within(kind: Header['kind'], parse: () => Header): Header {
  try {
    return parse();
  } catch (error) {
    if (error instanceof PictureProblem) throw error;
    // A number that would lie behind the end of the file.
    throw damaged(kind, error);
  }
}

function pngHeader(file: Buffer): Header {
  if (file.toString('latin1', 12, 16) !== 'IHDR') throw damaged('PNG');
  let orientation: Orientation = 1;
  for (let at = 8; at + 12 <= file.length; at += 12 + file.readUInt32BE(at)) {
    const type = file.toString('latin1', at + 4, at + 8);
    if (type === 'eXIf') orientation = exifOrientation(file.subarray(at + 8, at + 8 + file.readUInt32BE(at)));
    if (type === 'acTL') throw new PictureProblem('format', 'This is an animated PNG; save one of its pictures.');
  }
  return { kind: 'PNG', width: file.readUInt32BE(16), height: file.readUInt32BE(20), orientation, pixelsAt: 33 };
}

/** Sizes stand in the frame header, SOF0 to SOF15 without DHT, JPG and DAC (ITU T.81, table B.1). */
const isFrame = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;

function jpegHeader(file: Buffer): Header {
  let orientation: Orientation = 1;
  for (let at = 2; ; ) {
    if (file.readUInt8(at) !== 0xff) throw damaged('JPEG');
    const marker = file.readUInt8(at + 1);
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    const length = file.readUInt16BE(at + 2);
    const segment = file.subarray(at + 4, at + 2 + length);
    if (marker === 0xe1 && segment.toString('latin1', 0, 6) === 'Exif\0\0')
      orientation = exifOrientation(segment.subarray(6));
    if (isFrame(marker)) {
      if (segment.readUInt8(5) === 4) {
        throw new PictureProblem('format', 'This JPEG has the colours of a printer (CMYK); save it with RGB colours.');
      }
      // Sequential and progressive with Huffman codes is what decoders of today know.
      if (marker > 0xc2 || segment.readUInt8(0) !== 8) {
        throw new PictureProblem('format', 'This is a rare kind of JPEG; save it again as an ordinary JPEG or as PNG.');
      }
      const [width, height] = [segment.readUInt16BE(3), segment.readUInt16BE(1)];
      return { kind: 'JPEG', width, height, orientation, pixelsAt: at };
    }
    at += 2 + length;
  }
}

function webpHeader(file: Buffer): Header {
  const type = file.toString('latin1', 12, 16);
  if (type === 'VP8 ') {
    if (file.readUIntBE(23, 3) !== 0x9d012a) throw damaged('WebP');
    const [width, height] = [file.readUInt16LE(26) & 0x3fff, file.readUInt16LE(28) & 0x3fff];
    return { kind: 'WebP', width, height, orientation: 1, pixelsAt: 20 };
  }
  if (type === 'VP8L') {
    if (file.readUInt8(20) !== 0x2f) throw damaged('WebP');
    const bits = file.readUInt32LE(21);
    const [width, height] = [(bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1];
    return { kind: 'WebP', width, height, orientation: 1, pixelsAt: 20 };
  }
  if (type !== 'VP8X') throw damaged('WebP');
  if (file.readUInt8(20) & 2)
    throw new PictureProblem('format', 'This is an animated WebP; save one of its pictures, or use a photo.');
  let orientation: Orientation = 1;
  for (let at = 12; at + 8 <= file.length; ) {
    const length = file.readUInt32LE(at + 4);
    if (file.toString('latin1', at, at + 4) === 'EXIF') {
      const exif = file.subarray(at + 8, at + 8 + length);
      orientation = exifOrientation(exif.toString('latin1', 0, 6) === 'Exif\0\0' ? exif.subarray(6) : exif);
    }
    at += 8 + length + (length & 1);
  }
  const [width, height] = [file.readUIntLE(24, 3) + 1, file.readUIntLE(27, 3) + 1];
  return { kind: 'WebP', width, height, orientation, pixelsAt: 30 };
}
