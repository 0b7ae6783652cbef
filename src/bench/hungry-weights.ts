import { crc32 } from 'node:zlib';
import { zipDirectory, zipHeader } from './weight-zip.ts';

/** Files of weights that ask for as much memory as they can, or to run a command that would write to `marker`. */
export function hungryWeights(marker: string): { readonly name: string; readonly bytes: Buffer }[] {
  const full = 15_900_000;
  const pickles: [string, string | Buffer][] = [
    ['lists', Buffer.alloc(full, ']')],
    ['dictionaries', Buffer.alloc(full, '}')],
    ['marks', Buffer.alloc(full, '(')],
    ['dictionaries thrown away', Buffer.alloc(full, '}0')],
    ['a memo', Buffer.concat([Buffer.from('N'), Buffer.alloc(full, 0x94)])],
    ['one list in a list', Buffer.concat([Buffer.from(']'), Buffer.alloc(full, ']a')])],
    [
      'a wide list',
      Buffer.concat([Buffer.from('](K\x01'), Buffer.alloc(900_000, '2'), Buffer.from('e'), copies(')0', 9)]),
    ],
    ['tuples of tuples', Buffer.concat([Buffer.from(')'), Buffer.alloc(full, '2\x86', 'latin1')])],
    ['numbers', copies('\x8a\x0e\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e', full / 16)],
    ['long words', copies(`X\x00\x00\x10\x00${'x'.repeat(2 ** 20)}`, 15)],
    ['os.system', `cos\nsystem\n(X${length(`touch '${marker}'`)}touch '${marker}'tR`],
    ['builtins.exec', `cbuiltins\nexec\n(X${length(python(marker))}${python(marker)}tR`],
    [
      'posix.system, by its short name',
      `\x8c\x05posix\x8c\x06system\x93(X${length(`touch '${marker}'`)}touch '${marker}'tR`,
    ],
    ['a command as an object', `(X${length(`touch '${marker}'`)}touch '${marker}'ios\nsystem\n`],
    ['dictionaries of one another', laughs()],
    ['a long word that names many', `${LONG_WORD}}h\0}sq\x020}(${named(50_000, 'h\x02')}u`],
    ['a long word that names each in another', `${LONG_WORD}}${'q\x010}h\0h\x01s'.repeat(98)}`],
    ['numbers that hash alike', `}(${numbersAlike(400_000)}u`],
  ];
  return [
    ...pickles.map(([name, body]) => ({ name: `pickle: ${name}`, bytes: archive(body) })),
    { name: 'safetensors: lists', bytes: header(`{"a":[${'[],'.repeat(9_000_000)}[]]}`) },
    { name: 'safetensors: nested lists', bytes: header(`{"a":${'['.repeat(15_000_000)}${']'.repeat(15_000_000)}}`) },
    { name: 'safetensors: objects', bytes: header(`{"a":[${'{},'.repeat(9_000_000)}{}]}`) },
    {
      name: 'safetensors: words',
      bytes: header(`{${Array.from({ length: 3_000_000 }, (_, i) => `"${i.toString(36)}":0`)}}`),
    },
  ];
}

/** Eight million letters, remembered in place 0. */
const LONG_WORD = `X\x00\x12\x7a\x00${'k'.repeat(8_000_000)}q\x000`;

/** Entries of a dictionary, `value` each. */
const named = (count: number, value: string) =>
  Array.from({ length: count }, (_, i) => `X\x05\0\0\0${String(10_000 + i)}${value}`).join('');

/** Entries of a dictionary by numbers of 112 bits, whose lower 64 are the same. */
const numbersAlike = (count: number) =>
  Array.from({ length: count }, (_, i) => {
    const high = [i & 255, (i >> 8) & 255, i >> 16, 0, 1].map((byte) => String.fromCharCode(byte)).join('');
    return `\x8a\x0d${'\x07'.repeat(8)}${high}N`;
  }).join('');

const copies = (text: string, count: number) => Buffer.from(text.repeat(Math.floor(count)), 'latin1');

const python = (marker: string) => `open('${marker}', 'w').close()`;

/** A text's length, as the opcode before it wants it. */
function length(text: string): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(Buffer.byteLength(text));
  return bytes.toString('latin1');
}

/** Each dictionary holds the one before it twice. */
function laughs(): Buffer {
  const levels = Array.from(
    { length: 90 },
    (_, i) =>
      `}(X\x01\0\0\0ah${String.fromCharCode(i)}X\x01\0\0\0bh${String.fromCharCode(i)}uq${String.fromCharCode(i + 1)}`,
  );
  return Buffer.from(`}q\0${levels.join('')}`, 'latin1');
}

function archive(body: string | Buffer): Buffer {
  const pickle = Buffer.concat([
    Buffer.from('\x80\x04', 'latin1'),
    typeof body === 'string' ? Buffer.from(body, 'latin1') : body,
    Buffer.from('.'),
  ]);
  const entry = { name: 'archive/data.pkl', crc: crc32(pickle), bytes: pickle.length, at: 0, zip64: false };
  const head = Buffer.concat([zipHeader(entry, 64), pickle]);
  return Buffer.concat([head, zipDirectory([entry], head.length)]);
}

function header(json: string): Buffer {
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([size, Buffer.from(json, 'latin1')]);
}
