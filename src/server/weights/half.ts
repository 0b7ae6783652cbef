const numbers = new Float32Array(1);
const bits = new Uint32Array(numbers.buffer);

/** The nearest 16-bit floats (IEEE 754 binary16, ties to even); what is too large becomes infinite. */
export function toHalf(values: Float32Array): Uint16Array {
  const halves = new Uint16Array(values.length);
  const source = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < halves.length; i++) halves[i] = halfBits(source[i]!);
  return halves;
}

/** What 16-bit floats stand for. */
export function fromHalf(halves: Uint16Array): Float32Array {
  const values = new Float32Array(halves.length);
  for (let i = 0; i < values.length; i++) values[i] = TABLE[halves[i]!]!;
  return values;
}

function halfBits(single: number): number {
  const sign = (single >>> 16) & 0x8000;
  const rest = single & 0x7fffffff;
  // Not a number stays so; from 65520 on everything rounds to infinity.
  if (rest > 0x7f800000) return sign | 0x7e00;
  if (rest >= 0x477ff000) return sign | 0x7c00;
  if (rest >= 0x38800000) {
    const shifted = rest - 0x38000000;
    return sign | ((shifted + 0xfff + ((shifted >>> 13) & 1)) >>> 13);
  }
  // Below 2^-14 a half is a multiple of 2^-24; adding 0.5 makes the processor round to that.
  bits[0] = rest;
  numbers[0] = numbers[0]! + 0.5;
  return sign | (bits[0]! - 0x3f000000);
}

const TABLE = Float32Array.from({ length: 65_536 }, (_, half) => {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
});
