import { damaged, quoted, refused } from './file-errors.ts';
import { MOST_PICKLE_BYTES, type Pickled, unpickle } from './pickle.ts';
import { number64, readAt, type Source } from './read-at.ts';
import type { StoredTensor } from './stored-tensors.ts';
import { isStorage, type Storage, TORCH_WORLD, tensorsIn } from './torch-pickle.ts';

/** With which number such a file begins, and the version that follows; both are in every one since PyTorch 0.1.10. */
const MAGIC = 0x1950a86a20f9469cfc6cn;
const VERSION = 1001;

/**
 * The tensors of a file as PyTorch wrote it before 1.6: five pickles (magic number, version, the writer's machine, the tensors,
 * the storages' names), then the storages, each with its length before it. A `WeightsError` where it is damaged, or holds more.
 */
export async function torchLegacyTensors(source: Source): Promise<Map<string, StoredTensor>> {
  const { file, size } = source;
  const head = await readAt(source, 0, Math.min(size, MOST_PICKLE_BYTES));
  let at = 0;
  const storages = new Map<string, Storage>();
  const next = (): Pickled => {
    const { value, end } = unpickle(head, at, world, file);
    at = end;
    return value;
  };
  const world = {
    ...TORCH_WORLD,
    persistent: (id: Pickled) => {
      const storage = TORCH_WORLD.persistent(id);
      if (!isStorage(storage)) return storage;
      const known = storages.get(storage.key) ?? storage;
      if (known.count !== storage.count || known.type !== storage.type || known.each !== storage.each) {
        throw damaged(file, `its storage ${quoted(storage.key)} is described in two ways`);
      }
      storages.set(storage.key, known);
      return known;
    },
  };
  if (next() !== MAGIC || next() !== VERSION) throw refused(file, "it is a pickle, but none of PyTorch's");
  const machine = next();
  if (!(machine instanceof Map) || machine.get('little_endian') !== true) {
    throw refused(file, 'its numbers were written by a machine with another order of bytes');
  }
  const root = next();
  const starts = await storagesAfter(next(), storages, source, at);
  return tensorsIn(root, file, ({ key }) => {
    const start = starts.get(key);
    if (start === undefined) throw damaged(file, `its storage ${quoted(key)} is missing`);
    return start;
  });
}

/** Where each storage's numbers begin, of those that follow the last pickle in this order. */
async function storagesAfter(
  keys: Pickled,
  storages: ReadonlyMap<string, Storage>,
  source: Source,
  from: number,
): Promise<Map<string, number>> {
  const { file, size } = source;
  if (!Array.isArray(keys)) throw damaged(file, 'the list of its storages is missing');
  const starts = new Map<string, number>();
  let at = from;
  for (const key of keys) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined;
    if (storage === undefined || starts.has(storage.key)) throw damaged(file, 'the list of its storages is not right');
    const count = number64(await readAt(source, at, 8), 0, file);
    if (count !== storage.count) throw damaged(file, `its storage ${quoted(storage.key)} is not as long as it says`);
    starts.set(storage.key, at + 8);
    at += 8 + count * storage.each;
  }
  if (at > size) throw damaged(file, 'it is cut off');
  if (at < size) throw damaged(file, 'something follows its last storage');
  return starts;
}
