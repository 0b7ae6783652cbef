import type { Pcm } from '../protocol/pcm.ts';

/** Reads bits, most significant first. */
class Bits {
  readonly #bytes: Uint8Array;
  #at: number;
  #left = 0;
  #held = 0;
  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }
  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }
  /** `count` bits as an unsigned number, count at most 36. */
  unsigned(count: number): number {
    let value = 0;
    while (count > 0) {
      if (this.#left === 0) {
        if (this.done) throw new Error('A FLAC file that ends in the middle.');
        this.#held = this.#bytes[this.#at++]!;
        this.#left = 8;
      }
      const take = Math.min(count, this.#left);
      this.#left -= take;
      value = value * 2 ** take + ((this.#held >> this.#left) & (2 ** take - 1));
      count -= take;
    }
    return value;
  }
  signed(count: number): number {
    const value = this.unsigned(count);
    return value >= 2 ** (count - 1) ? value - 2 ** count : value;
  }
  /** Zeros before the next one. */
  unary(): number {
    let zeros = 0;
    while (this.unsigned(1) === 0) zeros++;
    return zeros;
  }
  align(): void {
    this.#left = 0;
  }
}

const FIXED = [[], [1], [2, -1], [3, -3, 1], [4, -6, 4, -1]] as const;
const BLOCK_SIZES = [0, 192, 576, 1152, 2304, 4608, 0, 0, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768] as const;
const SAMPLE_BITS = [0, 8, 12, 0, 16, 20, 24, 32] as const;

/** The sound of a FLAC file (RFC 9639), channels averaged; checksums are not verified. */
export function decodeFlac(bytes: Uint8Array): Pcm {
  if (Buffer.from(bytes.subarray(0, 4)).toString('latin1') !== 'fLaC') throw new Error('Not a FLAC file.');
  const info = new Bits(bytes, 18);
  const rate = info.unsigned(20);
  info.unsigned(3);
  const bits = info.unsigned(5) + 1;
  const samples = new Float32Array(info.unsigned(36));
  let at = 4;
  for (let last = false; !last; ) {
    last = bytes[at]! >= 0x80;
    at += 4 + (bytes[at + 1]! << 16) + (bytes[at + 2]! << 8) + bytes[at + 3]!;
  }
  const stream = new Bits(bytes, at);
  for (let written = 0; written < samples.length && !stream.done; ) {
    const channels = frame(stream, bits);
    const size = Math.min(channels[0]!.length, samples.length - written);
    for (let i = 0; i < size; i++) {
      let sum = 0;
      for (const channel of channels) sum += channel[i]!;
      samples[written + i] = sum / channels.length / 2 ** (bits - 1);
    }
    written += size;
  }
  return { rate, samples };
}

function frame(stream: Bits, streamBits: number): Float64Array[] {
  if (stream.unsigned(14) !== 0x3ffe) throw new Error('A damaged FLAC file: a frame does not begin where it should.');
  stream.unsigned(2);
  const sizeCode = stream.unsigned(4);
  const rateCode = stream.unsigned(4);
  const assignment = stream.unsigned(4);
  const bits = SAMPLE_BITS[stream.unsigned(3)]! || streamBits;
  stream.unsigned(1);
  // The frame's number, coded like UTF-8: its leading ones say how many bytes follow.
  const lead = stream.unsigned(8);
  for (let mask = 0x40; lead >= 0xc0 && lead & mask; mask >>= 1) stream.unsigned(8);
  const size =
    sizeCode === 6 ? stream.unsigned(8) + 1 : sizeCode === 7 ? stream.unsigned(16) + 1 : BLOCK_SIZES[sizeCode]!;
  if (rateCode >= 12) stream.unsigned(rateCode === 12 ? 8 : 16);
  stream.unsigned(8);
  const [left, side, both] = [8, 9, 10];
  const count = assignment < 8 ? assignment + 1 : 2;
  const channels = Array.from({ length: count }, (_, c) => {
    const isSide = (c === 1 && (assignment === left || assignment === both)) || (c === 0 && assignment === side);
    return subframe(stream, size, bits + (isSide ? 1 : 0));
  });
  stream.align();
  stream.unsigned(16);
  const [a, b] = channels;
  for (let i = 0; assignment >= 8 && i < size; i++) {
    if (assignment === left) b![i] = a![i]! - b![i]!;
    else if (assignment === side) a![i]! += b![i]!;
    else {
      const middle = 2 * a![i]! + Math.abs(b![i]! % 2);
      a![i] = (middle + b![i]!) / 2;
      b![i] = (middle - b![i]!) / 2;
    }
  }
  return channels;
}

function subframe(stream: Bits, size: number, bits: number): Float64Array {
  stream.unsigned(1);
  const kind = stream.unsigned(6);
  const wasted = stream.unsigned(1) ? stream.unary() + 1 : 0;
  const depth = bits - wasted;
  const out = new Float64Array(size);
  if (kind === 0) out.fill(stream.signed(depth));
  else if (kind === 1) for (let i = 0; i < size; i++) out[i] = stream.signed(depth);
  else {
    const order = kind >= 32 ? kind - 31 : kind - 8;
    if (kind < 8 || order > 32 || (kind < 32 && order > 4))
      throw new Error(`A damaged FLAC file: subframe type ${kind}.`);
    for (let i = 0; i < order; i++) out[i] = stream.signed(depth);
    let weights: readonly number[] = FIXED[order] ?? [];
    let shift = 0;
    if (kind >= 32) {
      const precision = stream.unsigned(4) + 1;
      shift = stream.unsigned(5);
      weights = Array.from({ length: order }, () => stream.signed(precision));
    }
    residual(stream, out, order);
    for (let i = order; i < size; i++) {
      let sum = 0;
      for (let j = 0; j < order; j++) sum += weights[j]! * out[i - 1 - j]!;
      out[i]! += Math.floor(sum / 2 ** shift);
    }
  }
  if (wasted) for (let i = 0; i < size; i++) out[i]! *= 2 ** wasted;
  return out;
}

function residual(stream: Bits, out: Float64Array, order: number): void {
  const width = stream.unsigned(2) === 0 ? 4 : 5;
  const partitions = 2 ** stream.unsigned(4);
  for (let p = 0, i = order; p < partitions; p++) {
    const end = ((p + 1) * out.length) / partitions;
    const rice = stream.unsigned(width);
    const raw = rice === 2 ** width - 1 ? stream.unsigned(5) : undefined;
    for (; i < end; i++) {
      if (raw !== undefined) out[i] = raw === 0 ? 0 : stream.signed(raw);
      else {
        const folded = stream.unary() * 2 ** rice + stream.unsigned(rice);
        out[i] = folded % 2 ? -(folded + 1) / 2 : folded / 2;
      }
    }
  }
}
