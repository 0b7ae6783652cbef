/** An entry of a zip archive, stored as it is. */
export type ZipEntry = {
  readonly name: string;
  readonly crc: number;
  readonly bytes: number;
  /** Where its header begins. */
  readonly at: number;
  /** Kept in 64 bits even where 32 are enough. */
  readonly zip64: boolean;
};

const MOST_32 = 0xffffffff;
const UTF8_NAME = 0x0800;

/** The header before an entry's bytes, so long that they begin at a multiple of `aligned`. Field order: APPNOTE.TXT 4.3.7. */
export function zipHeader(entry: ZipEntry, aligned: number): Buffer {
  const { name, crc, bytes, at } = entry;
  const is64 = entry.zip64 || bytes >= MOST_32;
  const wide = is64 ? extra64(bytes, bytes) : Buffer.alloc(0);
  const label = Buffer.from(name, 'utf8');
  const before = at + 30 + label.length + wide.length;
  // As PyTorch pads: a field of its own, which readers pass over.
  const padding = Buffer.alloc(4 + ((2 * aligned - ((before + 4) % aligned)) % aligned), 'Z');
  padding.write('FB');
  padding.writeUInt16LE(padding.length - 4, 2);
  const fixed = Buffer.alloc(30);
  fixed.writeUInt32LE(0x04034b50, 0);
  fixed.writeUInt16LE(is64 ? 45 : 20, 4);
  fixed.writeUInt16LE(UTF8_NAME, 6);
  fixed.writeUInt32LE(crc, 14);
  fixed.writeUInt32LE(is64 ? MOST_32 : bytes, 18);
  fixed.writeUInt32LE(is64 ? MOST_32 : bytes, 22);
  fixed.writeUInt16LE(label.length, 26);
  fixed.writeUInt16LE(wide.length + padding.length, 28);
  return Buffer.concat([fixed, label, wide, padding]);
}

/** The list of all entries, with which an archive ends; it begins at `at`. Field orders: APPNOTE.TXT 4.3.12 to 4.3.16. */
export function zipDirectory(entries: readonly ZipEntry[], at: number): Buffer {
  const list = Buffer.concat(entries.map(listed));
  const is64 = entries.length >= 0xffff || at + list.length >= MOST_32 || entries.some(({ zip64 }) => zip64);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  const count = is64 ? 0xffff : entries.length;
  end.writeUInt16LE(count, 8);
  end.writeUInt16LE(count, 10);
  end.writeUInt32LE(is64 ? MOST_32 : list.length, 12);
  end.writeUInt32LE(is64 ? MOST_32 : at, 16);
  if (!is64) return Buffer.concat([list, end]);
  const wide = Buffer.alloc(56);
  wide.writeUInt32LE(0x06064b50, 0);
  wide.writeBigUInt64LE(44n, 4);
  wide.writeUInt16LE(45, 12);
  wide.writeUInt16LE(45, 14);
  wide.writeBigUInt64LE(BigInt(entries.length), 24);
  wide.writeBigUInt64LE(BigInt(entries.length), 32);
  wide.writeBigUInt64LE(BigInt(list.length), 40);
  wide.writeBigUInt64LE(BigInt(at), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(at + list.length), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([list, wide, locator, end]);
}

function listed({ name, crc, bytes, at, zip64 }: ZipEntry): Buffer {
  const is64 = zip64 || bytes >= MOST_32 || at >= MOST_32;
  const wide = is64 ? extra64(bytes, bytes, at) : Buffer.alloc(0);
  const label = Buffer.from(name, 'utf8');
  const fixed = Buffer.alloc(46);
  fixed.writeUInt32LE(0x02014b50, 0);
  fixed.writeUInt16LE(is64 ? 45 : 20, 4);
  fixed.writeUInt16LE(is64 ? 45 : 20, 6);
  fixed.writeUInt16LE(UTF8_NAME, 8);
  fixed.writeUInt32LE(crc, 16);
  fixed.writeUInt32LE(is64 ? MOST_32 : bytes, 20);
  fixed.writeUInt32LE(is64 ? MOST_32 : bytes, 24);
  fixed.writeUInt16LE(label.length, 28);
  fixed.writeUInt16LE(wide.length, 30);
  fixed.writeUInt32LE(is64 ? MOST_32 : at, 42);
  return Buffer.concat([fixed, label, wide]);
}

/** The extra field that holds 64-bit numbers, APPNOTE.TXT 4.5.3. */
function extra64(...numbers: readonly number[]): Buffer {
  const field = Buffer.alloc(4 + 8 * numbers.length);
  field.writeUInt16LE(1, 0);
  field.writeUInt16LE(8 * numbers.length, 2);
  for (const [i, number] of numbers.entries()) field.writeBigUInt64LE(BigInt(number), 4 + 8 * i);
  return field;
}
