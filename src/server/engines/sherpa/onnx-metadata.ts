import { type FileHandle, open } from 'node:fs/promises';

/**
 * The notes that an ONNX file carries, by key. Reads a few bytes here and there, not the whole file; throws when the file is no ONNX
 * model or ends too early. Field numbers are those of onnx.proto3: ModelProto.metadata_props = 14, key = 1, value = 2.
 */
export async function onnxMetadata(path: string): Promise<Map<string, string>> {
  await using file = await open(path);
  const { size } = await file.stat();
  const notes = new Map<string, string>();
  let sawGraph = false;
  for (let at = 0; at < size; ) {
    const head = await read(file, at, Math.min(20, size - at));
    const [key, keyLength] = varint(head, 0);
    const [field, kind] = [Math.floor(key / 8), key % 8];
    const [value, valueLength] = kind === 0 || kind === 2 ? varint(head, keyLength) : [0, 0];
    const begin = at + keyLength + valueLength;
    if (kind !== 0 && kind !== 2) throw new Error('This is no ONNX model.');
    at = kind === 2 ? begin + value : begin;
    if (at > size) throw new Error('The model file ends too early.');
    if (field === 7) sawGraph = true;
    if (field === 14) {
      const [name, note] = entry(await read(file, begin, value));
      notes.set(name, note);
    }
  }
  if (!sawGraph) throw new Error('This is no ONNX model.');
  return notes;
}

async function read(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  await file.read(bytes, 0, length, at);
  return bytes;
}

/** The key and the value of one note. */
function entry(bytes: Buffer): [string, string] {
  const texts: Record<number, string> = {};
  for (let at = 0; at < bytes.length; ) {
    const [key, keyLength] = varint(bytes, at);
    const [length, lengthLength] = varint(bytes, at + keyLength);
    const begin = at + keyLength + lengthLength;
    at = begin + length;
    texts[Math.floor(key / 8)] = bytes.toString('utf8', begin, at);
  }
  return [texts[1] ?? '', texts[2] ?? ''];
}

/** A number of variable length (below 2^53) at `at`, and how many bytes it has. */
function varint(bytes: Buffer, at: number): [value: number, length: number] {
  let value = 0;
  for (let length = 0, scale = 1; length < 8; length++, scale *= 128) {
    const byte = bytes[at + length];
    if (byte === undefined) break;
    value += (byte & 127) * scale;
    if (byte < 128) return [value, length + 1];
  }
  throw new Error('This is no ONNX model.');
}
