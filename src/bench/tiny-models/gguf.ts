import { writeFileSync } from 'node:fs';

/** A value of GGUF's metadata with its type, as `ggml-org/ggml/docs/gguf.md` numbers them. */
export type GgufValue =
  | { type: 'u32'; value: number }
  | { type: 'i32'; value: number }
  | { type: 'f32'; value: number }
  | { type: 'bool'; value: boolean }
  | { type: 'string'; value: string }
  | { type: 'strings'; value: readonly string[] }
  | { type: 'i32s'; value: readonly number[] };

/** A tensor of 32-bit floats; `shape` counts the fastest dimension first. */
export type GgufTensor = { readonly name: string; readonly shape: readonly number[]; readonly data: Float32Array };

const VERSION = 3;
const ALIGNMENT = 32;
const TYPE = { u32: 4, i32: 5, f32: 6, bool: 7, string: 8, array: 9 } as const;
const TENSOR_F32 = 0;

/** Writes a GGUF file (version 3, little-endian, 32-bit floats). */
export function writeGguf(
  path: string,
  metadata: Readonly<Record<string, GgufValue>>,
  tensors: readonly GgufTensor[],
): void {
  const head = new Bytes();
  head.raw(Buffer.from('GGUF'));
  head.u32(VERSION);
  head.u64(tensors.length);
  head.u64(Object.keys(metadata).length);
  for (const [key, value] of Object.entries(metadata)) {
    head.string(key);
    head.value(value);
  }
  let offset = 0;
  for (const { name, shape, data } of tensors) {
    head.string(name);
    head.u32(shape.length);
    for (const size of shape) head.u64(size);
    head.u32(TENSOR_F32);
    head.u64(offset);
    offset += aligned(data.byteLength);
  }
  const parts = [padded(head.bytes())];
  for (const { data } of tensors) parts.push(padded(Buffer.from(data.buffer, data.byteOffset, data.byteLength)));
  writeFileSync(path, Buffer.concat(parts));
}

const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
const padded = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc(aligned(bytes.length) - bytes.length)]);

class Bytes {
  readonly #parts: Buffer[] = [];

  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }

  raw(bytes: Buffer): void {
    this.#parts.push(bytes);
  }

  u32(value: number): void {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    this.raw(bytes);
  }

  i32(value: number): void {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value);
    this.raw(bytes);
  }

  u64(value: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(value));
    this.raw(bytes);
  }

  string(text: string): void {
    const bytes = Buffer.from(text);
    this.u64(bytes.length);
    this.raw(bytes);
  }

  value(given: GgufValue): void {
    const { type, value } = given;
    this.u32(type === 'strings' || type === 'i32s' ? TYPE.array : TYPE[type]);
    switch (type) {
      case 'u32':
        return this.u32(value);
      case 'i32':
        return this.i32(value);
      case 'f32': {
        const bytes = Buffer.alloc(4);
        bytes.writeFloatLE(value);
        return this.raw(bytes);
      }
      case 'bool':
        return this.raw(Buffer.from([value ? 1 : 0]));
      case 'string':
        return this.string(value);
      case 'strings':
        this.u32(TYPE.string);
        this.u64(value.length);
        for (const text of value) this.string(text);
        return;
      case 'i32s':
        this.u32(TYPE.i32);
        this.u64(value.length);
        for (const number of value) this.i32(number);
    }
  }
}
