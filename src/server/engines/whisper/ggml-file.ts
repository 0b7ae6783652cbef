import { type FileHandle, open } from 'node:fs/promises';

/** Bytes and numbers per block of the types of tensors, by ggml's numbers for them: f32, f16, q4_0 to q8_0 and the k-quants. */
const TYPES: Readonly<Record<number, readonly [bytes: number, numbers: number]>> = {
  0: [4, 1],
  1: [2, 1],
  2: [18, 32],
  3: [20, 32],
  6: [22, 32],
  7: [24, 32],
  8: [34, 32],
  10: [84, 256],
  11: [110, 256],
  12: [144, 256],
  13: [176, 256],
  14: [210, 256],
};
const SIZES = 11;
const MOST_WORDS = 100_000;

/**
 * Throws when the file is no Whisper model in ggml's format, or not a whole one: whisper.cpp does not look, and crashes then. Reads
 * what stands between the tensors, not the tensors.
 */
export async function checkGgmlFile(path: string): Promise<void> {
  await using file = await open(path);
  const { size } = await file.stat();
  const head = await ints(file, 0, SIZES + 3, size);
  if (head[0] !== 0x67676d6c) throw new Error('This is no ggml file.');
  const [mels, fft] = [head[SIZES + 1]!, head[SIZES + 2]!];
  let at = 4 * (SIZES + 3);
  if (!(mels > 0 && mels <= 1024 && fft > 0 && fft <= 4096)) throw new Error('The sizes of the model make no sense.');
  at = await afterWords(file, at + 4 * mels * fft, size);
  while (at < size) at = await afterTensor(file, at, size);
  if (at > size) throw new Error('The file ends in the middle of a tensor.');
}

async function afterWords(file: FileHandle, start: number, size: number): Promise<number> {
  const [count = 0] = await ints(file, start, 1, size);
  if (count < 0 || count > MOST_WORDS) throw new Error('The number of words makes no sense.');
  const bytes = Buffer.alloc(Math.min(size - start - 4, count * 64));
  await file.read(bytes, 0, bytes.length, start + 4);
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 4 > bytes.length) throw new Error('The file ends in the middle of its words.');
    at += 4 + bytes.readUInt32LE(at);
  }
  return start + 4 + at;
}

async function afterTensor(file: FileHandle, start: number, size: number): Promise<number> {
  const [dims = 0, nameLength = 0, type = -1, ...sizes] = await ints(file, start, 7, size, 3);
  const block = TYPES[type];
  if (dims < 1 || dims > 4 || nameLength < 1 || nameLength > 256 || !block) throw new Error('A tensor makes no sense.');
  const numbers = sizes.slice(0, dims).reduce((product, one) => product * one, 1);
  return start + 4 * (3 + dims) + nameLength + (numbers / block[1]) * block[0];
}

/** Up to `count` numbers of 32 bits, at least `least`. */
async function ints(file: FileHandle, at: number, count: number, size: number, least = count): Promise<number[]> {
  if (at + 4 * least > size) throw new Error('The file ends too early.');
  const bytes = Buffer.alloc(4 * count);
  await file.read(bytes, 0, bytes.length, at);
  return Array.from({ length: count }, (_, i) => bytes.readInt32LE(4 * i));
}
