import type { Crop } from './video/contracts.ts';

/** Reads a crop as an address or a command line writes it, `x,y,size` as shares from 0 to 1; undefined when it is none. */
export function readCrop(text: string): Crop | undefined {
  const numbers = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  const [x = 0, y = 0, size = 0] = numbers;
  const fine = numbers.length === 3 && numbers.every((value) => value >= 0 && value <= 1) && size > 0;
  return fine ? { x, y, size } : undefined;
}
