import { type FileHandle, open } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { crc32 } from 'node:zlib';
import { toHalf } from '../server/weights/half.ts';
import { legacyKeys, legacyPreface, tensorsPickle, WRITTEN } from './weight-pickle.ts';
import { zipDirectory, zipHeader } from './weight-zip.ts';

/** A tensor to be written; `fill` is called once, with room for all its numbers, row-major, which hold anything before. */
export type TensorSource = {
  readonly name: string;
  readonly dims: readonly number[];
  /** As what it is written; `f32` if not given. */
  readonly type?: keyof typeof WRITTEN;
  fill(buffer: Float32Array): void;
};

export type TorchOptions = {
  /** As PyTorch wrote before 1.6: pickles and storages one after another, no archive. */
  readonly legacy?: boolean;
  /** The word under which the dictionary of tensors stands in another one, such as `state_dict`. */
  readonly wrapped?: string;
  /** Writes the 64-bit records of zip also where 32 bits are enough. */
  readonly zip64?: boolean;
};

/** PyTorch lets each storage begin at a multiple of this. */
const ALIGNED = 64;

/** Writes a `.safetensors` file; only one tensor is in memory at a time. */
export async function writeSafetensors(file: string, tensors: Iterable<TensorSource>): Promise<void> {
  const list = [...tensors];
  let end = 0;
  const header = Object.fromEntries(
    list.map(({ name, dims, type = 'f32' }) => {
      const begin = end;
      end += countOf(dims) * WRITTEN[type].bytes;
      return [name, { dtype: WRITTEN[type].safetensors, shape: dims, data_offsets: [begin, end] }];
    }),
  );
  const json = Buffer.from(JSON.stringify(header));
  const padded = Buffer.alloc(Math.ceil(json.length / 8) * 8, ' ');
  json.copy(padded);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  await using out = await Output.create(file);
  await out.write(length, padded);
  for (const bytes of contents(list)) await out.write(bytes);
}

/** Writes a `.pth` file as `torch.save` does of a module's state; only one tensor is in memory at a time. */
export async function writeTorchFile(
  file: string,
  tensors: Iterable<TensorSource>,
  { legacy = false, wrapped, zip64 = false }: TorchOptions = {},
): Promise<void> {
  const list = [...tensors];
  const pickle = tensorsPickle(list, legacy, wrapped);
  await using out = await Output.create(file);
  if (legacy) {
    await out.write(legacyPreface(), pickle, legacyKeys(list.length));
    let i = 0;
    for (const bytes of contents(list)) {
      const count = Buffer.alloc(8);
      count.writeBigUInt64LE(BigInt(countOf(list[i++]!.dims)));
      await out.write(count, bytes);
    }
    return;
  }
  const folder = basename(file, extname(file));
  const entries: Parameters<typeof zipDirectory>[0][number][] = [];
  const entry = async (name: string, bytes: Uint8Array) => {
    const facts = { name: `${folder}/${name}`, crc: crc32(bytes), bytes: bytes.length, at: out.end, zip64 };
    entries.push(facts);
    await out.write(zipHeader(facts, ALIGNED), bytes);
  };
  await entry('data.pkl', pickle);
  await entry('byteorder', Buffer.from('little'));
  let i = 0;
  for (const bytes of contents(list)) await entry(`data/${i++}`, bytes);
  await entry('version', Buffer.from('3\n'));
  await out.write(zipDirectory(entries, out.end));
}

const countOf = (dims: readonly number[]): number => dims.reduce((product, dim) => product * dim, 1);

/** Each tensor's bytes, valid until the next is asked for. */
function* contents(tensors: readonly TensorSource[]): Generator<Uint8Array> {
  const most = tensors.reduce((largest, { dims }) => Math.max(largest, countOf(dims)), 0);
  const room = new Float32Array(most);
  for (const tensor of tensors) {
    const values = room.subarray(0, countOf(tensor.dims));
    tensor.fill(values);
    const kept = keptAs(tensor.type ?? 'f32', values);
    yield new Uint8Array(kept.buffer, kept.byteOffset, kept.byteLength);
  }
}

function keptAs(type: keyof typeof WRITTEN, values: Float32Array): Float32Array | Float64Array | Uint16Array {
  if (type === 'f32') return values;
  if (type === 'f64') return Float64Array.from(values);
  if (type === 'f16') return toHalf(values);
  // The upper half of a 32-bit float, rounded to the nearest, the even one of two as near.
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(bits, (one) => (one + 0x7fff + ((one >>> 16) & 1)) >>> 16);
}

/** A file that grows. */
class Output implements AsyncDisposable {
  end = 0;
  readonly #file: FileHandle;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async create(path: string): Promise<Output> {
    return new Output(await open(path, 'w'));
  }

  async write(...parts: readonly Uint8Array[]): Promise<void> {
    for (const part of parts) {
      for (let done = 0; done < part.length; ) {
        const rest = part.subarray(done, done + 2 ** 26);
        const { bytesWritten } = await this.#file.write(rest, 0, rest.length, this.end);
        done += bytesWritten;
        this.end += bytesWritten;
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}
