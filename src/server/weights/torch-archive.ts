import { damaged, quoted, refused } from './file-errors.ts';
import { MOST_PICKLE_BYTES, unpickle } from './pickle.ts';
import { readAt, type Source } from './read-at.ts';
import type { StoredTensor } from './stored-tensors.ts';
import { TORCH_WORLD, tensorsIn } from './torch-pickle.ts';
import { zipEntries } from './zip-entries.ts';

/**
 * The tensors of a file as PyTorch writes it since 1.6: a zip archive of a pickle and, beside it, a part for each storage. A
 * `WeightsError` where it is damaged, or holds more than tensors.
 */
export async function torchArchiveTensors(source: Source): Promise<Map<string, StoredTensor>> {
  const { file } = source;
  const entries = await zipEntries(source);
  const pickles = [...entries].filter(([name]) => /^[^/]+\/data\.pkl$/.test(name));
  if (pickles.length !== 1) throw refused(file, 'it is a zip archive of something else than weights');
  const [name, { start, bytes }] = pickles[0]!;
  const folder = name.slice(0, -'data.pkl'.length);
  if (entries.has(`${folder}constants.pkl`)) throw refused(file, 'it holds a TorchScript program');
  const order = entries.get(`${folder}byteorder`);
  if (order && (await readAt(source, order.start, Math.min(order.bytes, 16))).toString('latin1') !== 'little') {
    throw refused(file, 'its numbers were written by a machine with another order of bytes');
  }
  if (bytes > MOST_PICKLE_BYTES) throw damaged(file, 'its pickle is longer than weights need');
  const pickle = await readAt(source, start, bytes);
  const { value, end } = unpickle(pickle, 0, TORCH_WORLD, file);
  if (end !== bytes) throw damaged(file, 'something follows its pickle');
  return tensorsIn(value, file, ({ key, count, each }) => {
    const entry = entries.get(`${folder}data/${key}`);
    if (entry?.bytes !== count * each) {
      throw damaged(file, `its storage ${quoted(key)} is ${entry ? 'not as long as it says' : 'missing'}`);
    }
    return entry.start;
  });
}
