import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MALFORMATIONS, malformed } from '../../../src/bench/malform.ts';
import { type ZipEntry, zipDirectory, zipHeader } from '../../../src/bench/weight-zip.ts';
import { seeded } from '../../../src/server/engines/builtin/random.ts';
import { WeightsError } from '../../../src/server/weights/weights.ts';
import { expectedWeights, madeWeights, WeightsFolder } from '../../fixtures/weights.ts';

let folder: WeightsFolder;
beforeAll(() => {
  folder = new WeightsFolder();
});
afterAll(() => folder[Symbol.dispose]());

const refusal = async (bytes: Uint8Array, sentence: RegExp) => {
  const opened = folder.readAll(bytes);
  await expect(opened).rejects.toThrow(WeightsError);
  await expect(opened).rejects.toThrow(sentence);
};

function safetensors(header: object | string, dataBytes: number): Buffer {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, Buffer.alloc(dataBytes)]);
}
const f32 = (shape: number[], from: number, to: number) => ({ dtype: 'F32', shape, data_offsets: [from, to] });

describe('a safetensors file', () => {
  it('whose numbers agree is taken', async () => {
    const read = await folder.readAll(safetensors({ b: f32([1], 8, 12), a: f32([2], 0, 8), none: f32([0], 8, 8) }, 12));
    expect([...read].map(([name, values]) => [name, values.length])).toEqual([
      ['b', 1],
      ['a', 2],
      ['none', 0],
    ]);
  });

  it.each<[string, object | string, number, RegExp]>([
    ['overlap', { a: f32([2], 0, 8), b: f32([2], 4, 12) }, 12, /tensor "b" overlaps another/],
    ['are the same bytes', { a: f32([2], 0, 8), b: f32([2], 0, 8) }, 8, /overlaps another/],
    ['leave a gap', { a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12, /tensor "b" follows a gap/],
    ['leave an end', { a: f32([1], 0, 4) }, 5, /bytes at its end belong to no tensor/],
    ['are longer than their sides', { a: f32([1], 0, 8) }, 8, /not as long as its sides say/],
    ['are shorter than their sides', { a: f32([3], 0, 8) }, 8, /not as long as its sides say/],
    ['are not there', { a: f32([3], 0, 12) }, 8, /is cut off/],
    [
      'have the same name',
      `{"a":${JSON.stringify(f32([1], 0, 4))},"a":${JSON.stringify(f32([1], 0, 4))}}`,
      4,
      /same name/,
    ],
    ['have nine sides', { a: f32(Array(9).fill(1), 0, 4) }, 4, /impossible sides/],
    ['have too many numbers', { a: f32([2 ** 40, 2 ** 40], 0, 4) }, 4, /impossible sides/],
    ['have a side of 1.5', { a: f32([1.5], 0, 6) }, 6, /no safetensors file/],
    ['are nested', { a: { ...f32([1], 0, 4), more: [[1]] } }, 4, /no safetensors file/],
    ['are too many', `{${Array.from({ length: 100_001 }, (_, i) => `"${i}":{}`).join()}}`, 0, /more than 100000/],
    ['have too many sides', `{"a":{"shape":[${'1,'.repeat(1_600_000)}1]}}`, 0, /longer than weights need/],
  ])('whose tensors %s is refused', async (_, header, dataBytes, sentence) => {
    await refusal(safetensors(header, dataBytes), sentence);
  });

  it('may have colons and braces in its names', async () => {
    const header = { 'a:{"b":1}\\': f32([1], 0, 4), __metadata__: { 'x"': '{"y":[[[]]]}' } };
    expect([...(await folder.readAll(safetensors(header, 4))).keys()]).toEqual(['a:{"b":1}\\']);
  });
});

type Made = { name: string; bytes: Uint8Array; listed?: Partial<ZipEntry> };

/** An archive of these parts; `listed` is what the list at its end says otherwise. */
function archive(parts: readonly Made[], change: (list: Buffer) => void = () => {}): Buffer {
  const entries: ZipEntry[] = [];
  let whole = Buffer.alloc(0);
  for (const { name, bytes, listed } of parts) {
    const entry = { name, bytes: bytes.length, crc: 0, at: whole.length, zip64: false };
    whole = Buffer.concat([whole, zipHeader(entry, 64), bytes]);
    entries.push({ ...entry, ...listed });
  }
  const list = zipDirectory(entries, whole.length);
  change(list);
  return Buffer.concat([whole, list]);
}

const pickled = Buffer.from(
  '\x80\x02}X\x01\0\0\0actorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\n' +
    'X\x01\0\0\0' +
    '0X\x03\0\0\0cpuK\x02tQK\0K\x02\x85K\x01\x85\x89}tRs.',
  'latin1',
);
const pickle = { name: 'a/data.pkl', bytes: pickled };
const storage = { name: 'a/data/0', bytes: new Uint8Array(Float32Array.of(1.5, -2).buffer) };

describe('a PyTorch archive', () => {
  it('whose lists agree is taken, with a comment at its end too', async () => {
    expect(await folder.readAll(archive([pickle, storage]))).toEqual(new Map([['a', Float32Array.of(1.5, -2)]]));
    const commented = archive([storage, pickle], (list) => list.writeUInt16LE(9, list.length - 2));
    expect((await folder.readAll(Buffer.concat([commented, Buffer.from('a comment')]))).size).toBe(1);
    const order = { name: 'a/byteorder', bytes: Buffer.from('little') };
    expect((await folder.readAll(archive([pickle, order, storage]))).size).toBe(1);
  });

  it.each<[string, readonly Made[], RegExp]>([
    ['has two parts of one name', [pickle, storage, storage], /two of its parts are called "a\/data\/0"/],
    ['lists one place twice', [pickle, storage, { ...storage, listed: { at: 0 } }], /overlaps|not where the list/],
    ['has no pickle', [storage], /a zip archive of something else/],
    ['has two pickles', [pickle, { ...pickle, name: 'b/data.pkl' }, storage], /a zip archive of something else/],
    ['has a pickle further down', [{ ...pickle, name: 'a/b/data.pkl' }, storage], /a zip archive of something else/],
    ['lacks a storage', [pickle], /storage "0" is missing/],
    ['has a short storage', [pickle, { ...storage, bytes: Buffer.alloc(4) }], /storage "0" is not as long/],
    ['has a long storage', [pickle, { ...storage, bytes: Buffer.alloc(12) }], /storage "0" is not as long/],
    ['holds a program', [pickle, storage, { name: 'a/constants.pkl', bytes: pickled }], /TorchScript program/],
    ['is of another order', [pickle, storage, { name: 'a/byteorder', bytes: Buffer.from('big') }], /order of bytes/],
    [
      'has more after its pickle',
      [{ ...pickle, bytes: Buffer.concat([pickled, pickled]) }, storage],
      /follows its pickle/,
    ],
    ['lists another size', [pickle, { ...storage, listed: { bytes: 4 } }], /not where the list of parts says/],
    [
      'lists a size beyond it',
      [pickle, { ...storage, listed: { bytes: 2 ** 31 } }],
      /not where the list of parts says/,
    ],
    ['lists a size beyond any file', [pickle, { ...storage, listed: { bytes: 2 ** 60 } }], /beyond|overlaps|missing/],
    ['lists a place beyond it', [pickle, { ...storage, listed: { at: 2 ** 31 } }], /is cut off/],
    ['lists another name', [pickle, { ...storage, listed: { name: 'a/data/1' } }], /not where the list of parts says/],
  ])('that %s is refused', async (_, parts, sentence) => {
    await refusal(archive(parts), sentence);
  });

  it.each<[string, (list: Buffer) => void, RegExp]>([
    ['is encrypted', (list) => list.writeUInt16LE(1, 8), /"a\/data\.pkl" is encrypted/],
    ['is compressed', (list) => list.writeUInt16LE(8, 10), /"a\/data\.pkl" is compressed/],
    [
      'overlaps the next',
      (list) => {
        // Of a part whose sizes follow it, only the list knows them.
        list.writeUInt16LE(8, 8);
        for (const at of [20, 24]) list.writeUInt32LE(5_000, at);
      },
      /"a\/data\.pkl" overlaps what follows it/,
    ],
    ['has two sizes', (list) => list.writeUInt32LE(1, 20), /"a\/data\.pkl" has two sizes/],
    ['has a name beyond the list', (list) => list.writeUInt16LE(0xffff, 28), /breaks off/],
    ['is not in the list', (list) => list.writeUInt32LE(0, 0), /breaks off/],
    ['is not counted', (list) => list.writeUInt16LE(1, list.length - 12), /longer than they are many/],
    ['is counted thrice', (list) => list.writeUInt16LE(3, list.length - 12), /breaks off/],
    ['is in a list that is longer', (list) => list.writeUInt32LE(2 ** 20, list.length - 10), /longer than its room/],
    ['is in a list elsewhere', (list) => list.writeUInt32LE(2 ** 30, list.length - 6), /longer than its room/],
    ['is in a list of 64 bits', (list) => list.writeUInt32LE(0xffffffff, list.length - 6), /64-bit record is missing/],
    ['has 64 bits nowhere', (list) => list.writeUInt32LE(0xffffffff, 42), /64-bit size is missing/],
    ['is in no list', (list) => list.writeUInt32LE(0, list.length - 22), /list of its parts, .* missing/],
  ])('of which a part %s is refused', async (_, change, sentence) => {
    await refusal(archive([pickle, storage], change), sentence);
  });
});

describe('a file of before PyTorch 1.6', () => {
  const good = madeWeights('kinds-legacy.pth');

  it.each<[string, () => Buffer, RegExp]>([
    ['is no pickle of PyTorch', () => Buffer.from('\x80\x02K\x05.', 'latin1'), /a pickle, but none of PyTorch's/],
    ['is cut off', () => good.subarray(0, good.length - 1), /is cut off/],
    ['has more at its end', () => Buffer.concat([good, Buffer.alloc(1)]), /something follows its last storage/],
    [
      'is of another order of bytes',
      () => {
        const copy = Buffer.from(good);
        copy[copy.indexOf('little_endian') + 'little_endian'.length + 2] = 0x89;
        return copy;
      },
      /order of bytes/,
    ],
  ])('that %s is refused', async (_, bytes, sentence) => {
    await refusal(bytes(), sentence);
  });
});

describe('files that Python made, damaged at random,', () => {
  const files = Object.keys(expectedWeights).map(madeWeights);
  const damage = fc.record({
    file: fc.nat(files.length - 1),
    other: fc.nat(files.length - 1),
    how: fc.constantFrom(...MALFORMATIONS),
    seed: fc.nat(),
  });

  it('are read, or refused in one sentence that names them', async () => {
    await fc.assert(
      fc.asyncProperty(damage, async ({ file, other, how, seed }) => {
        const bytes = malformed(files[file]!, files[other]!, how, seeded(seed));
        const error = await folder.readAll(bytes).then(
          () => undefined,
          (reason: unknown) => reason,
        );
        if (error === undefined) return;
        expect(error).toBeInstanceOf(WeightsError);
        expect((error as Error).message).toMatch(new RegExp(`${folder.path}/[^\n]+\\.$`));
      }),
      { numRuns: 400 },
    );
  });

  it('are refused wherever they are cut off', async () => {
    for (const bytes of [madeWeights('kinds.safetensors'), madeWeights('views-legacy.pth')]) {
      for (let length = 0; length < bytes.length; length += 7) await refusal(bytes.subarray(0, length), /./);
    }
  });
});
