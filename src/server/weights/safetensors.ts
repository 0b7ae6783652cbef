import { damaged, quoted } from './file-errors.ts';
import { number64, readAt, type Source } from './read-at.ts';
import { BYTES, MOST_TENSORS, numbersIn, type StoredTensor } from './stored-tensors.ts';
import { WeightsError } from './weights.ts';

/** What a safetensors file says of its tensors. */
export type SafetensorsHeader = {
  /** Each with its kind in the format's own word, such as `F8_E4M3`, and the byte of the file where it begins. */
  readonly tensors: ReadonlyMap<
    string,
    { readonly dtype: string; readonly shape: readonly number[]; readonly start: number }
  >;
  /** Free words of whoever wrote the file. */
  readonly metadata: Readonly<Record<string, string>>;
};

/** Networks of 1,100 tensors have headers of 150 kB; far above this somebody means harm. */
const MOST_BYTES = 32_000_000;
/** Of objects, lists and what is in them; a tensor has some ten. */
const MOST_ITEMS = 1_500_000;

const KNOWN = Object.keys(BYTES) as (keyof typeof BYTES)[];

/** The format's words for kinds that are told apart here, in capitals: `F32` and so on. */
const KINDS = new Map(KNOWN.map((kind) => [kind.toUpperCase(), { kind, bytes: BYTES[kind] }]));

/** Bytes of one number of further kinds, where they are whole ones. */
const OTHER_BYTES = new Map(Object.entries({ U16: 2, U32: 4, U64: 8, C64: 8, F8_E4M3: 1, F8_E5M2: 1, F8_E8M0: 1 }));

/** The tensors of a safetensors file; a `WeightsError` where it is none, or damaged. */
export async function safetensorsTensors(source: Source): Promise<Map<string, StoredTensor>> {
  const { tensors } = await safetensorsHeader(source);
  return new Map(
    [...tensors].map(([name, { dtype, shape, start }]) => [
      name,
      { type: KINDS.get(dtype)?.kind ?? 'other', dims: shape, start },
    ]),
  );
}

/**
 * The header of a safetensors file: eight bytes say how long the JSON is that follows, and the tensors come after it without a
 * gap (https://huggingface.co/docs/safetensors). A `WeightsError` where it is none, is cut off, or its numbers do not agree.
 */
export async function safetensorsHeader(source: Source): Promise<SafetensorsHeader> {
  const { file, size } = source;
  if (size < 10) throw noSafetensors(file);
  const length = number64(await readAt(source, 0, 8), 0, file);
  if (length < 2 || length > Math.min(size - 8, MOST_BYTES)) throw noSafetensors(file);
  const header = headerIn(await readAt(source, 8, length), file);
  const begin = 8 + length;
  const tensors = new Map<string, { dtype: string; shape: number[]; start: number }>();
  let metadata: Record<string, string> = {};
  const places: { name: string; from: number; to: number }[] = [];
  for (const [name, value] of header) {
    if (name === '__metadata__') {
      metadata = Object.fromEntries(Object.entries(value ?? {}).filter(([, said]) => typeof said === 'string'));
      continue;
    }
    const { dtype, shape, data_offsets: place } = (value ?? {}) as Record<string, unknown>;
    if (typeof dtype !== 'string' || !areCounts(shape) || !areCounts(place) || place.length !== 2) {
      throw noSafetensors(file);
    }
    const [from, to] = [place[0]!, place[1]!];
    const count = numbersIn(shape, name, file);
    const each = KINDS.get(dtype)?.bytes ?? OTHER_BYTES.get(dtype);
    if (from > to || (each !== undefined && count * each !== to - from)) {
      throw damaged(file, `its tensor ${quoted(name)} is not as long as its sides say`);
    }
    places.push({ name, from, to });
    tensors.set(name, { dtype, shape, start: begin + from });
  }
  checkPlaces(places, size - begin, source);
  return { tensors, metadata };
}

/** The format wants each byte after the header to belong to exactly one tensor. */
function checkPlaces(
  places: { readonly name: string; readonly from: number; readonly to: number }[],
  room: number,
  { file, size }: Source,
): void {
  let end = 0;
  for (const { name, from, to } of places.sort((a, b) => a.from - b.from || a.to - b.to)) {
    if (to > room) {
      throw new WeightsError(`${file} is cut off: it has ${size} bytes and names more; fetch it again.`);
    }
    if (from !== end) {
      throw damaged(file, `its tensor ${quoted(name)} ${from < end ? 'overlaps another' : 'follows a gap'}`);
    }
    end = to;
  }
  if (end !== room) throw damaged(file, 'bytes at its end belong to no tensor');
}

function headerIn(json: Buffer, file: string): [string, object | null][] {
  const keys = keysIn(json, file);
  let header: unknown;
  try {
    header = JSON.parse(json.toString('utf8'));
  } catch {
    throw noSafetensors(file);
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) throw noSafetensors(file);
  const entries: [string, object | null][] = Object.entries(header);
  // Of two tensors of one name, the parser keeps the last.
  if (keys !== entries.length) throw damaged(file, 'two of its tensors have the same name');
  return entries;
}

/**
 * How many keys an object of JSON has, itself and not what is in it: colons outside of strings and inner braces. A `WeightsError`
 * where the JSON is larger or deeper than headers are, which the parser would need a hundred times the memory for.
 */
function keysIn(json: Buffer, file: string): number {
  const [QUOTE, BACKSLASH, COLON, COMMA] = [0x22, 0x5c, 0x3a, 0x2c];
  let [keys, depth, items, isText] = [0, 0, 0, false];
  for (let i = 0; i < json.length; i++) {
    const byte = json[i]!;
    if (isText) {
      if (byte === BACKSLASH) i++;
      else if (byte === QUOTE) isText = false;
    } else if (byte === QUOTE) isText = true;
    else if (byte === 0x7d || byte === 0x5d) depth--;
    else if (byte === 0x7b || byte === 0x5b) {
      items++;
      // The header, a tensor, its sides.
      if (++depth > 3) throw noSafetensors(file);
    } else if (byte === COMMA) items++;
    else if (byte === COLON && depth === 1 && ++keys > MOST_TENSORS) {
      throw damaged(file, `it names more than ${MOST_TENSORS} tensors`);
    }
  }
  if (items > MOST_ITEMS) throw damaged(file, 'its header is longer than weights need');
  return keys;
}

const areCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((one) => Number.isSafeInteger(one) && one >= 0);

const noSafetensors = (file: string) =>
  new WeightsError(`${file} is no safetensors file; fetch it again, or name another.`);
