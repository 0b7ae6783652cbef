import { type FileHandle, open } from 'node:fs/promises';

const METADATA_FIELD = 14; // ModelProto.metadata_props
const LONGEST_ENTRY = 1 << 20;

/**
 * The notes that an `.onnx` file carries, without reading its weights.
 * Throws when the file is no ONNX model or is cut off, saying which.
 */
export async function onnxMetadata(path: string): Promise<ReadonlyMap<string, string>> {
  const file = await open(path);
  try {
    return await walk(file, (await file.stat()).size);
  } finally {
    await file.close();
  }
}

async function walk(file: FileHandle, size: number): Promise<Map<string, string>> {
  const notes = new Map<string, string>();
  const head = Buffer.alloc(20);
  let at = 0;
  let graph = false;
  while (at < size) {
    const { bytesRead } = await file.read(head, 0, head.length, at);
    const tag = varint(head, 0, bytesRead);
    const value = varint(head, tag.end, bytesRead);
    const [field, kind] = [tag.value >>> 3, tag.value & 7];
    if (kind !== 0 && kind !== 2) throw new Error('It is no ONNX model.');
    at += value.end;
    if (kind === 0) continue;
    if (at + value.value > size) throw new Error('It is cut off.');
    if (field === 7) graph = true;
    if (field === METADATA_FIELD && value.value <= LONGEST_ENTRY) {
      const entry = Buffer.alloc(value.value);
      await file.read(entry, 0, entry.length, at);
      const [key, note] = texts(entry);
      notes.set(key, note);
    }
    at += value.value;
  }
  if (!graph) throw new Error('It is no ONNX model.');
  return notes;
}

/** The two texts of a StringStringEntryProto. */
function texts(entry: Buffer): [string, string] {
  const found: [string, string] = ['', ''];
  for (let at = 0; at < entry.length; ) {
    const tag = varint(entry, at, entry.length);
    const length = varint(entry, tag.end, entry.length);
    at = length.end + length.value;
    if (tag.value >>> 3 === 1 || tag.value >>> 3 === 2) {
      found[(tag.value >>> 3) - 1] = entry.toString('utf8', length.end, at);
    }
  }
  return found;
}

/** Multiplies instead of shifting: a graph may be larger than 32 bits can count. */
function varint(bytes: Buffer, from: number, end: number): { value: number; end: number } {
  let value = 0;
  for (let at = from, factor = 1; at < end; at++, factor *= 128) {
    value += (bytes[at]! & 127) * factor;
    if (bytes[at]! < 128) return { value, end: at + 1 };
  }
  throw new Error('It is no ONNX model.');
}
