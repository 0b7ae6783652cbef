import { type FileHandle, open } from 'node:fs/promises';
import { mayBePickle, type Trust } from './check-names.ts';
import { ModelNotOffered } from './model-store-error.ts';

/** Throws `ModelNotOffered` when the file's bytes are not what its name says, or are a pickle that it may not be. */
export async function checkContent(file: string, path: string, trust: Trust = {}): Promise<void> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    const head = await read(handle, 0, 64);
    const wrong =
      !mayBePickle(path, trust) && (await isPickle(handle, head, size))
        ? 'it is a Python pickle, which can run programs'
        : mismatch(head, size, path);
    if (wrong) throw new ModelNotOffered(`${path} is refused: ${wrong}.`);
  } finally {
    await handle.close();
  }
}

function mismatch(head: Buffer, size: number, path: string): string | undefined {
  const name = path.split('/').at(-1)!.toLowerCase();
  const begins = (text: string) => head.subarray(0, text.length).equals(Buffer.from(text, 'latin1'));
  if (begins('version https://git-lfs')) return "it is git's pointer to a file, not the file";
  if (name.endsWith('.gguf') && !begins('GGUF')) return 'it is not a GGUF file';
  // 0x67676d6c as a little-endian number: how every file of whisper.cpp begins.
  if (/^ggml.*\.bin$/.test(name) && !begins('lmgg')) return 'it is not a model of whisper.cpp';
  if (name.endsWith('.safetensors') && !isSafetensors(head, size)) return 'it is not a safetensors file';
  if (name.endsWith('.onnx') && !isOnnx(head)) return 'it is not an ONNX file';
  if (name.endsWith('.json') && !/^\ufeff?\s*[[{"\d]/.test(head.toString('utf8'))) return 'it is not JSON';
  return undefined;
}

/** Eight bytes say how long the JSON is that follows, https://huggingface.co/docs/safetensors. */
function isSafetensors(head: Buffer, size: number): boolean {
  if (head.length < 9) return false;
  const length = head.readBigUInt64LE(0);
  return length <= BigInt(Math.min(size - 8, 100_000_000)) && head[8] === '{'.charCodeAt(0);
}

/** The keys with which the fields of a ModelProto begin, onnx.proto; nothing in protobuf says more. */
const isOnnx = (head: Buffer): boolean =>
  [0x08, 0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42, 0x72, 0xa2, 0xca].includes(head[0] ?? -1);

/** A pickle of protocol 2 to 5, or a zip archive that holds one, as PyTorch writes; an unreadable archive counts. */
async function isPickle(handle: FileHandle, head: Buffer, size: number): Promise<boolean> {
  // No opcode is below 40; a smaller number there belongs to the length of a safetensors file's header, such as 640.
  if (head[0] === 0x80 && head[1]! >= 2 && head[1]! <= 5 && !(head[2]! < 40)) return true;
  if (head.length < 4 || head.readUInt32LE(0) !== 0x04034b50) return false;
  // The archive's list of files lies before its last record, which a comment of up to 65535 bytes may follow.
  const tailStart = Math.max(0, size - 65_557);
  const tail = await read(handle, tailStart, size - tailStart);
  const end = tail.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  if (end < 0 || end + 20 > tail.length) return true;
  const length = tail.readUInt32LE(end + 12);
  const start = tail.readUInt32LE(end + 16);
  if (start + length > size || length > 64_000_000) return true;
  const names = await read(handle, start, length);
  return names.includes('.pkl') || names.includes('.pickle');
}

async function read(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await handle.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}
