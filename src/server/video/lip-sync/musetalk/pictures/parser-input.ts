import type { Box, Picture } from '../../../contracts.ts';
import { PARSE_SIZE } from '../networks.ts';
import { BILINEAR, resizeSmoothly } from './resize-smoothly.ts';

/** Of ImageNet's pictures, on which the parser's first layers were trained: red, green, blue, 0 to 1. */
const MEAN = [0.485, 0.456, 0.406] as const;
const DEVIATION = [0.229, 0.224, 0.225] as const;

/** What the face parser takes of the picture in `crop`: planes of red, green and blue, [3, 512, 512]; black outside the picture. */
export function parserInput(picture: Picture, crop: Box): Float32Array {
  const { width, height } = crop;
  const cut = { width, height, channels: 3, data: cutOut(picture, crop) };
  const { data } = resizeSmoothly(cut, PARSE_SIZE, PARSE_SIZE, BILINEAR);
  const pixels = PARSE_SIZE * PARSE_SIZE;
  const planes = new Float32Array(3 * pixels);
  for (let c = 0; c < 3; c++) {
    const normal = Float32Array.from({ length: 256 }, (_, value) => (value / 255 - MEAN[c]!) / DEVIATION[c]!);
    for (let i = 0; i < pixels; i++) planes[c * pixels + i] = normal[data[3 * i + c]!]!;
  }
  return planes;
}

function cutOut(picture: Picture, { x, y, width, height }: Box): Uint8Array {
  const out = new Uint8Array(3 * width * height);
  const [left, right] = [Math.max(0, x), Math.min(picture.width, x + width)];
  if (left >= right) return out;
  for (let row = Math.max(0, y); row < Math.min(picture.height, y + height); row++) {
    const from = 3 * picture.width * row;
    out.set(picture.rgb.subarray(from + 3 * left, from + 3 * right), 3 * ((row - y) * width + left - x));
  }
  return out;
}
