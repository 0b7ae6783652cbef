import { type FileHandle, open } from 'node:fs/promises';
import { VideoError } from '../../contracts.ts';

/** What a safetensors file says of its tensors. */
export type SafetensorsHeader = {
  readonly tensors: ReadonlyMap<string, { readonly type: string; readonly shape: readonly number[] }>;
  /** Free words of whoever wrote the file. */
  readonly metadata: Readonly<Record<string, string>>;
};

/** The two experts of Wan2.2 have about 1,100 tensors, a few hundred bytes each; far above this somebody means harm. */
const MOST_BYTES = 32_000_000;

/**
 * Reads the header of a safetensors file (eight bytes that say how long the JSON is that follows,
 * https://huggingface.co/docs/safetensors), none of its weights; throws a `VideoError` where the file is none, or cut off.
 */
export async function readSafetensorsHeader(file: string): Promise<SafetensorsHeader> {
  const handle = await open(file, 'r').catch(({ message }: Error) => {
    throw new VideoError(`${file} cannot be read (${message}).`);
  });
  try {
    return await headerOf(handle, file);
  } finally {
    await handle.close();
  }
}

async function headerOf(handle: FileHandle, file: string): Promise<SafetensorsHeader> {
  const { size } = await handle.stat();
  const prefix = Buffer.alloc(8);
  const { bytesRead } = await handle.read(prefix, 0, 8, 0);
  const length = bytesRead === 8 ? prefix.readBigUInt64LE(0) : 0n;
  if (length < 2n || length > BigInt(Math.min(size - 8, MOST_BYTES))) throw noSafetensors(file);
  const json = Buffer.alloc(Number(length));
  const read = await handle.read(json, 0, json.length, 8);
  if (read.bytesRead < json.length) throw noSafetensors(file);
  const tensors = new Map<string, { type: string; shape: number[] }>();
  let metadata: Record<string, string> = {};
  for (const [name, value] of entriesOf(json, file)) {
    if (name === '__metadata__') {
      metadata = Object.fromEntries(Object.entries(value ?? {}).filter(([, said]) => typeof said === 'string'));
      continue;
    }
    const { dtype, shape, data_offsets: place } = (value ?? {}) as Record<string, unknown>;
    if (typeof dtype !== 'string' || !areCounts(shape) || !areCounts(place) || place.length !== 2) {
      throw noSafetensors(file);
    }
    if (place[0]! > place[1]!) throw noSafetensors(file);
    if (8 + json.length + place[1]! > size) {
      throw new VideoError(`${file} is cut off: it has ${size} bytes and names more. Fetch it again.`);
    }
    tensors.set(name, { type: dtype, shape });
  }
  return { tensors, metadata };
}

function entriesOf(json: Buffer, file: string): [string, object | null][] {
  try {
    const header: unknown = JSON.parse(json.toString('utf8'));
    if (typeof header === 'object' && header !== null && !Array.isArray(header)) return Object.entries(header);
  } catch {
    // Said below.
  }
  throw noSafetensors(file);
}

const areCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((one) => Number.isSafeInteger(one) && one >= 0);

const noSafetensors = (file: string) =>
  new VideoError(`${file} is no safetensors file. Fetch it again, or name another in config.yml.`);
