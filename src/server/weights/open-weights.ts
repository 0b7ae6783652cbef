import { open } from 'node:fs/promises';
import { readAt, type Source } from './read-at.ts';
import { type SafetensorsHeader, safetensorsHeader, safetensorsTensors } from './safetensors.ts';
import { type StoredTensor, storedWeights } from './stored-tensors.ts';
import { torchArchiveTensors } from './torch-archive.ts';
import { torchLegacyTensors } from './torch-legacy.ts';
import { type Weights, WeightsError } from './weights.ts';

/**
 * Opens a file of weights, whatever its name: safetensors, or PyTorch's own, of which nothing is ever run. Only its list is read
 * here. A `WeightsError` where it is none of these, damaged, or holds more than tensors.
 */
export async function openWeights(file: string): Promise<Weights> {
  const source = await opened(file);
  try {
    return storedWeights(source, await tensorsOf(source));
  } catch (error) {
    await source.handle.close();
    throw error;
  }
}

/** What a safetensors file says of its tensors and of itself, none of its numbers; a `WeightsError` where it is none. */
export async function readSafetensorsHeader(file: string): Promise<SafetensorsHeader> {
  const source = await opened(file);
  try {
    return await safetensorsHeader(source);
  } finally {
    await source.handle.close();
  }
}

async function opened(file: string): Promise<Source> {
  const cannot = ({ message }: Error) => {
    throw new WeightsError(`${file} cannot be read (${message}); fetch it again, or name another.`);
  };
  const handle = await open(file, 'r').catch(cannot);
  try {
    const about = await handle.stat();
    if (!about.isFile()) throw new WeightsError(`${file} is no file; name a file of weights.`);
    return { file, handle, size: about.size };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function tensorsOf(source: Source): Promise<ReadonlyMap<string, StoredTensor>> {
  const { file, size } = source;
  const head = await readAt(source, 0, Math.min(size, 16));
  const begins = (text: string) => head.subarray(0, text.length).equals(Buffer.from(text, 'latin1'));
  if (begins('PK\x03\x04')) return torchArchiveTensors(source);
  // Before the pickles: a header of 640 bytes also begins with 0x80 and 2.
  if (head[8] === '{'.charCodeAt(0)) return safetensorsTensors(source);
  // The opcode PROTO and the protocol.
  if (head[0] === 0x80 && head[1]! >= 2 && head[1]! <= 5) return torchLegacyTensors(source);
  if (begins('version https')) {
    throw new WeightsError(`${file} is git's pointer to a file, not the file; fetch it from its page.`);
  }
  throw new WeightsError(
    `${file} is neither a safetensors file nor one of PyTorch's; fetch it again, or name another.`,
  );
}
