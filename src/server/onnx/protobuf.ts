/** Byte strings one after another. */
export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

/** A field of protocol buffers that holds a whole number (a varint; negative ones as 64-bit two's complement). */
export function numberField(field: number, value: number): Uint8Array {
  return joined(varint(field * 8), varint(value));
}

/** A field that holds a 32-bit float. */
export function floatField(field: number, value: number): Uint8Array {
  return joined(varint(field * 8 + 5), new Uint8Array(Float32Array.of(value).buffer));
}

/** A field that holds bytes, such as another message. */
export function bytesField(field: number, value: Uint8Array): Uint8Array {
  return joined(varint(field * 8 + 2), varint(value.length), value);
}

/** A field that holds text. */
export function textField(field: number, value: string): Uint8Array {
  return bytesField(field, Buffer.from(value, 'utf8'));
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
