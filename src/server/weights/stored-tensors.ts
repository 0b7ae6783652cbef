import { damaged, quoted } from './file-errors.ts';
import { fromHalf } from './half.ts';
import { fill, type Source } from './read-at.ts';
import { type TensorFacts, type Weights, WeightsError } from './weights.ts';

/** Where a tensor's numbers lie. */
export type StoredTensor = TensorFacts & {
  /** The byte of the file at which the first one begins. */
  readonly start: number;
  /** How many numbers lie from one to the next along each axis, where they are not row-major. */
  readonly strides?: readonly number[];
};

/** More tensors than any network has; above it somebody means harm. */
export const MOST_TENSORS = 100_000;
const MOST_AXES = 8;
/** 2^31 numbers are 8 GB. */
const MOST_NUMBERS = 2 ** 31;

/** Bytes of one number. */
export const BYTES: Readonly<Record<Exclude<TensorFacts['type'], 'other'>, number>> = {
  ...{ f64: 8, f32: 4, f16: 2, bf16: 2 },
  ...{ i64: 8, i32: 4, i16: 2, i8: 1, u8: 1, bool: 1 },
};

/** How many numbers a tensor of these sides has; a `WeightsError` unless they are a real tensor's. */
export function numbersIn(dims: readonly number[], name: string, file: string): number {
  const count = dims.reduce((product, dim) => product * dim, 1);
  const isReal = dims.length <= MOST_AXES && dims.every((dim) => Number.isSafeInteger(dim) && dim >= 0);
  if (!isReal || !Number.isSafeInteger(count)) throw damaged(file, `its tensor ${quoted(name)} has impossible sides`);
  return count;
}

/** Weights of an open file, whose tensors are known to lie within it; closes it when disposed of. */
export function storedWeights(source: Source, tensors: ReadonlyMap<string, StoredTensor>): Weights {
  const { file, handle } = source;
  return {
    file,
    tensors,
    read: async (name, signal) => {
      signal.throwIfAborted();
      const tensor = tensors.get(name);
      if (tensor === undefined) {
        throw new WeightsError(
          `${file} has no tensor ${quoted(name)}; take the file of the network that is asked for.`,
        );
      }
      return read(source, tensor, name, signal);
    },
    [Symbol.asyncDispose]: () => handle.close(),
  };
}

async function read(source: Source, tensor: StoredTensor, name: string, signal: AbortSignal): Promise<Float32Array> {
  const { type, dims, start, strides } = tensor;
  const count = numbersIn(dims, name, source.file);
  const span = strides === undefined || count === 0 ? count : spanOf(dims, strides);
  if (count > MOST_NUMBERS || span > MOST_NUMBERS) {
    throw new WeightsError(
      `The tensor ${quoted(name)} of ${source.file} is too large to be read; take a smaller network.`,
    );
  }
  const get = async <T extends Float32Array | Float64Array | Uint16Array>(numbers: T): Promise<T> => {
    await fill(new Uint8Array(numbers.buffer), source, start, signal);
    return numbers;
  };
  const values =
    type === 'f32'
      ? await get(new Float32Array(span))
      : type === 'f16'
        ? fromHalf(await get(new Uint16Array(span)))
        : type === 'bf16'
          ? fromBrain(await get(new Uint16Array(span)))
          : type === 'f64'
            ? Float32Array.from(await get(new Float64Array(span)))
            : undefined;
  if (values === undefined) {
    throw new WeightsError(
      `The tensor ${quoted(name)} of ${source.file} is made of ${type === 'other' ? 'numbers of another kind' : type}, not of floats; take the network's unquantised weights.`,
    );
  }
  return strides === undefined ? values : rowMajor(values, dims, strides, count);
}

/** How many numbers lie from a tensor's first to its last, both counted; it must have some. */
export const spanOf = (dims: readonly number[], strides: readonly number[]): number =>
  dims.reduce((span, dim, axis) => span + (dim - 1) * strides[axis]!, 1);

/** What bfloat16 stand for: the upper halves of 32-bit floats. */
function fromBrain(upper: Uint16Array): Float32Array {
  const bits = new Uint32Array(upper.length);
  for (let i = 0; i < bits.length; i++) bits[i] = upper[i]! << 16;
  return new Float32Array(bits.buffer);
}

function rowMajor(
  values: Float32Array,
  dims: readonly number[],
  strides: readonly number[],
  count: number,
): Float32Array {
  const result = new Float32Array(count);
  const at = dims.map(() => 0);
  let from = 0;
  for (let i = 0; i < count; i++) {
    result[i] = values[from]!;
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++at[axis]! < dims[axis]!) break;
      from -= strides[axis]! * dims[axis]!;
      at[axis] = 0;
    }
  }
  return result;
}
