const MOST_WORD = 256;
const MOST_NUMBER_BYTES = 16;

/** The numbers and words of a pickle, one after another; each throws what `broken` makes of a sentence's end where it breaks off. */
export function pickleInput(bytes: Buffer, start: number, broken: (what: string) => Error) {
  let at = start;
  const take = (count: number): number => {
    const from = at;
    if (count > bytes.length - at) throw broken('breaks off');
    at += count;
    return from;
  };
  const text = (length: number, encoding: 'utf8' | 'latin1'): string => {
    const from = take(length);
    return bytes.toString(encoding, from, from + length);
  };
  return {
    /** Where the next one begins. */
    at: () => at,
    /** Passes over bytes, and tells where they begin. */
    take,
    u8: () => bytes[take(1)]!,
    u16: () => bytes.readUInt16LE(take(2)),
    i32: () => bytes.readInt32LE(take(4)),
    u32: () => bytes.readUInt32LE(take(4)),
    /** A length; those beyond 2^53 are rounded, and beyond any file. */
    u64: () => Number(bytes.readBigUInt64LE(take(8))),
    f64: () => bytes.readDoubleBE(take(8)),
    text,
    /** Up to the end of a line. */
    line: () => {
      const length = bytes.subarray(at, at + MOST_WORD).indexOf(0x0a);
      if (length < 0) throw broken('breaks off');
      const word = text(length, 'utf8');
      at++;
      return word;
    },
    /** A whole number of so many bytes, little-endian, two's complement. */
    whole: (length: number): number | bigint => {
      if (length > MOST_NUMBER_BYTES) throw broken('has a number larger than weights need');
      const from = take(length);
      let value = 0n;
      for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[from + i]!);
      value = BigInt.asIntN(8 * length, value);
      return Number.isSafeInteger(Number(value)) ? Number(value) : value;
    },
  };
}
