import { damaged, quoted, refused } from './file-errors.ts';
import { number64, readAt, type Source } from './read-at.ts';

/** Where an entry's bytes lie in the archive. */
export type ZipEntry = { readonly start: number; readonly bytes: number };

type Listed = { readonly name: string; readonly at: number; readonly bytes: number; readonly flags: number };

const MOST_ENTRIES = 100_000;
const MOST_BYTES = 64_000_000;
const MOST_32 = 0xffffffff;
/** How long the last record is at most, with the comment after it and the 64-bit locator before it. */
const TAIL = 22 + 65_535 + 20;
/** Of the flags: encrypted in one of three ways; sizes follow the bytes, and the header before them has none. */
const ENCRYPTED = 0x2041;
const SIZES_FOLLOW = 8;

/**
 * The entries of a zip archive by their names, none of their bytes (records as in PKWARE's APPNOTE.TXT, 4.3 and 4.5.3). A
 * `WeightsError` where one is compressed or encrypted, or where they overlap or two lists of them do not agree.
 */
export async function zipEntries(source: Source): Promise<ReadonlyMap<string, ZipEntry>> {
  const { file } = source;
  const { at, length, count } = await directory(source);
  const listed = entriesIn(await readAt(source, at, length), count, file).sort((a, b) => a.at - b.at);
  const entries = new Map<string, ZipEntry>();
  for (const [i, entry] of listed.entries()) {
    const start = await startOf(entry, source);
    if (start + entry.bytes > (listed[i + 1]?.at ?? at)) {
      throw damaged(file, `its part ${quoted(entry.name)} overlaps what follows it`);
    }
    if (entries.has(entry.name)) throw damaged(file, `two of its parts are called ${quoted(entry.name)}`);
    entries.set(entry.name, { start, bytes: entry.bytes });
  }
  return entries;
}

/** Where the list of entries is; it lies before the archive's last record, which a comment may follow. */
async function directory(source: Source): Promise<{ at: number; length: number; count: number }> {
  const { file, size } = source;
  const tailAt = Math.max(0, size - TAIL);
  const tail = await readAt(source, tailAt, size - tailAt);
  let end = tail.length - 22;
  while (
    end >= 0 &&
    !(tail.readUInt32LE(end) === 0x06054b50 && end + 22 + tail.readUInt16LE(end + 20) === tail.length)
  ) {
    end--;
  }
  if (end < 0) throw damaged(file, 'the list of its parts, with which it should end, is missing');
  let list = {
    count: tail.readUInt16LE(end + 10),
    length: tail.readUInt32LE(end + 12),
    at: tail.readUInt32LE(end + 16),
  };
  let last = tailAt + end;
  if (list.count === 0xffff || list.length === MOST_32 || list.at === MOST_32) {
    if (end < 20 || tail.readUInt32LE(end - 20) !== 0x07064b50) throw damaged(file, 'its 64-bit record is missing');
    last = number64(tail, end - 12, file);
    const record = await readAt(source, last, 56);
    if (record.readUInt32LE(0) !== 0x06064b50) throw damaged(file, 'its 64-bit record is missing');
    list = { count: number64(record, 32, file), length: number64(record, 40, file), at: number64(record, 48, file) };
  }
  if (list.count > MOST_ENTRIES || list.length > MOST_BYTES)
    throw damaged(file, 'it names more parts than weights have');
  if (list.at + list.length > last) throw damaged(file, 'the list of its parts is longer than its room');
  return list;
}

function entriesIn(list: Buffer, count: number, file: string): Listed[] {
  const entries: Listed[] = [];
  let at = 0;
  for (; entries.length < count; ) {
    if (at + 46 > list.length || list.readUInt32LE(at) !== 0x02014b50)
      throw damaged(file, 'the list of its parts breaks off');
    const [nameBytes, extraBytes] = [list.readUInt16LE(at + 28), list.readUInt16LE(at + 30)];
    const next = at + 46 + nameBytes + extraBytes + list.readUInt16LE(at + 32);
    if (next > list.length) throw damaged(file, 'the list of its parts breaks off');
    const name = list.toString('utf8', at + 46, at + 46 + nameBytes);
    const flags = list.readUInt16LE(at + 8);
    if (flags & ENCRYPTED) throw refused(file, `its part ${quoted(name)} is encrypted`);
    if (list.readUInt16LE(at + 10) !== 0) throw refused(file, `its part ${quoted(name)} is compressed`);
    // Numbers that do not fit into 32 bits stand in an extra field, in this order.
    const extra = list.subarray(at + 46 + nameBytes, at + 46 + nameBytes + extraBytes);
    const wide = field64(extra);
    const [bytes, stored, header] = [24, 20, 42].map((place) => {
      const short = list.readUInt32LE(at + place);
      if (short !== MOST_32) return short;
      const long = wide.shift();
      if (long === undefined || long > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged(file, 'a 64-bit size is missing');
      return Number(long);
    }) as [number, number, number];
    if (bytes !== stored) throw damaged(file, `its part ${quoted(name)} has two sizes`);
    entries.push({ name, at: header, bytes, flags });
    at = next;
  }
  if (at !== list.length) throw damaged(file, 'the list of its parts is longer than they are many');
  return entries;
}

function field64(extra: Buffer): bigint[] {
  for (let at = 0; at + 4 <= extra.length; ) {
    const body = extra.subarray(at + 4, at + 4 + extra.readUInt16LE(at + 2));
    if (extra.readUInt16LE(at) === 1) {
      return Array.from({ length: Math.floor(body.length / 8) }, (_, i) => body.readBigUInt64LE(8 * i));
    }
    at += 4 + extra.readUInt16LE(at + 2);
  }
  return [];
}

/** Where an entry's bytes begin, after its own header, which must say what the list says. */
async function startOf({ name, at, bytes, flags }: Listed, source: Source): Promise<number> {
  const label = Buffer.from(name, 'utf8');
  const header = await readAt(source, at, 30 + label.length);
  const start = at + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
  const size = header.readUInt32LE(22);
  const agrees =
    header.readUInt32LE(0) === 0x04034b50 &&
    header.readUInt16LE(8) === 0 &&
    header.readUInt16LE(26) === label.length &&
    header.subarray(30).equals(label) &&
    (size === bytes || size === MOST_32 || (flags & SIZES_FOLLOW) !== 0);
  if (!agrees) throw damaged(source.file, `its part ${quoted(name)} is not where the list of parts says`);
  return start;
}
