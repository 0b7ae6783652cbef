import { damaged, quoted, refused } from './file-errors.ts';
import { isObject, type Pickled, type PickledDict, type PickledObject, type PickleWorld } from './pickle.ts';
import { BYTES, MOST_TENSORS, numbersIn, type StoredTensor, spanOf } from './stored-tensors.ts';
import type { TensorFacts } from './weights.ts';

/** A run of numbers of one kind, which tensors share. */
export type Storage = PickledObject & {
  readonly kind: 'storage';
  readonly type: TensorFacts['type'];
  /** Bytes of one number. */
  readonly each: number;
  readonly key: string;
  readonly count: number;
};

type StorageType = PickledObject & { readonly kind: 'storage type'; type: TensorFacts['type']; each: number };

type TorchTensor = PickledObject & {
  readonly kind: 'tensor';
  readonly storage: Storage;
  readonly offset: Pickled;
  readonly dims: Pickled[];
  readonly strides: Pickled[];
};

/** Where PyTorch's words are nested deeper than this, or tensors or dictionaries have longer names, somebody means harm. */
const DEEPEST = 100;
const LONGEST = 500;
/** Entries of dictionaries that are looked at; one dictionary can stand in many places. */
const MOST_ENTRIES = 1_000_000;

const storageType = (type: TensorFacts['type'], each: number): StorageType => ({ kind: 'storage type', type, each });

/** PyTorch's names for kinds of numbers, each with `Storage` after it in the module `torch`. */
const STORAGES: Readonly<Record<string, StorageType>> = {
  ...{ Double: storageType('f64', BYTES.f64), Float: storageType('f32', BYTES.f32) },
  ...{ Half: storageType('f16', BYTES.f16), BFloat16: storageType('bf16', BYTES.bf16) },
  ...{ Long: storageType('i64', BYTES.i64), Int: storageType('i32', BYTES.i32) },
  ...{ Short: storageType('i16', BYTES.i16), Char: storageType('i8', BYTES.i8) },
  ...{ Byte: storageType('u8', BYTES.u8), Bool: storageType('bool', BYTES.bool) },
  ...{ ComplexFloat: storageType('other', 8), ComplexDouble: storageType('other', 16) },
};

const DICT: PickledObject = { kind: 'ordered dictionary' };
const TENSOR: PickledObject = { kind: 'maker of tensors' };
const PARAMETER: PickledObject = { kind: 'maker of parameters' };

const GLOBALS = new Map<string, PickledObject>([
  ['collections.OrderedDict', DICT],
  ['torch._utils._rebuild_tensor_v2', TENSOR],
  ['torch._utils._rebuild_parameter', PARAMETER],
  ...Object.entries(STORAGES).map(([name, type]) => [`torch.${name}Storage`, type] as const),
]);

/** What a pickle of PyTorch may name: dictionaries, tensors and parameters of plain numbers, and the storages they lie on. */
export const TORCH_WORLD: PickleWorld = {
  globals: GLOBALS,
  call(callee, args) {
    if (callee === DICT) return args.length === 0 ? new Map() : undefined;
    if (callee === PARAMETER) return isTensor(args[0]) && args.length === 3 ? args[0] : undefined;
    if (callee !== TENSOR) return undefined;
    const [storage, offset, dims, strides] = args;
    const isWhole = args.length >= 6 && isStorage(storage) && Array.isArray(dims) && Array.isArray(strides);
    return isWhole ? ({ kind: 'tensor', storage, offset: offset!, dims, strides } as TorchTensor) : undefined;
  },
  persistent(id) {
    if (!Array.isArray(id)) return undefined;
    // Before PyTorch 1.6 a sixth entry said which part of another storage this is; since 0.4 it is always None.
    const [word, type, key, , count, view = null] = id;
    const isStorageId = word === 'storage' && isStorageType(type) && typeof key === 'string' && isCount(count);
    if (!isStorageId || view !== null) return undefined;
    return { kind: 'storage', type: type.type, each: type.each, key, count } as Storage;
  },
};

/**
 * The tensors of what a pickle of PyTorch holds, by their names, those of inner dictionaries joined with dots; what is no tensor
 * is left out. `place` says where a storage's bytes begin, or throws where it has fewer than it says.
 */
export function tensorsIn(root: Pickled, file: string, place: (storage: Storage) => number): Map<string, StoredTensor> {
  const tensors = new Map<string, StoredTensor>();
  let seen = 0;
  const visit = (dict: PickledDict, before: string, depth: number): void => {
    if (depth > DEEPEST) throw damaged(file, `its dictionaries are nested more than ${DEEPEST} deep`);
    for (const [key, value] of dict) {
      if (++seen > MOST_ENTRIES) throw damaged(file, 'its dictionaries have more entries than weights have');
      if (!(value instanceof Map) && !isTensor(value)) continue;
      const name = `${before}${typeof key === 'string' ? key : '?'}`;
      // One long word can stand in many places, too.
      if (name.length > LONGEST) throw damaged(file, `it has something called ${quoted(name)} and longer`);
      if (value instanceof Map) {
        visit(value, `${name}.`, depth + 1);
        continue;
      }
      if (tensors.has(name)) throw damaged(file, `two of its tensors are called ${quoted(name)}`);
      if (tensors.size >= MOST_TENSORS) throw damaged(file, `it names more than ${MOST_TENSORS} tensors`);
      tensors.set(name, placed(value, name, file, place));
    }
  };
  if (!(root instanceof Map)) throw refused(file, 'it holds no dictionary of tensors');
  visit(unwrapped(root), '', 1);
  return tensors;
}

/** The dictionary of tensors itself, where it stands in another beside what training needs. */
function unwrapped(root: PickledDict): PickledDict {
  if ([...root.values()].some((value) => isTensor(value))) return root;
  const inner = ['state_dict', 'model'].map((word) => root.get(word)).find((value) => value instanceof Map);
  return inner instanceof Map ? inner : root;
}

function placed(tensor: TorchTensor, name: string, file: string, place: (storage: Storage) => number): StoredTensor {
  const { storage, offset, dims, strides } = tensor;
  if (!isCount(offset) || !dims.every(isCount) || strides.length !== dims.length || !strides.every(isCount)) {
    throw damaged(file, `its tensor ${quoted(name)} has impossible sides`);
  }
  const count = numbersIn(dims, name, file);
  const span = count === 0 ? 0 : spanOf(dims, strides);
  if (count > storage.count || offset + span > storage.count) {
    throw damaged(file, `its tensor ${quoted(name)} is larger than the storage that it lies on`);
  }
  const start = place(storage) + offset * storage.each;
  const isRowMajor =
    count === 0 || dims.every((dim, i) => dim === 1 || strides[i] === numbersIn(dims.slice(i + 1), name, file));
  return { type: storage.type, dims, start, ...(isRowMajor ? {} : { strides }) };
}

const isTensor = (value: Pickled | undefined): value is TorchTensor =>
  value !== undefined && isObject(value) && value.kind === 'tensor';

/** Whether a value that a pickle made is a storage. */
export const isStorage = (value: Pickled | undefined): value is Storage =>
  value !== undefined && isObject(value) && value.kind === 'storage';

const isStorageType = (value: Pickled | undefined): value is StorageType =>
  value !== undefined && isObject(value) && value.kind === 'storage type';

const isCount = (value: Pickled | undefined): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
