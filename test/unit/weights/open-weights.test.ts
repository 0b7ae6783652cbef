import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openWeights } from '../../../src/server/weights/open-weights.ts';
import { WeightsError } from '../../../src/server/weights/weights.ts';
import { expectedWeights, madeWeights, WeightsFolder } from '../../fixtures/weights.ts';

const signal = new AbortController().signal;
const TYPES: Readonly<Record<string, string>> = {
  ...{ float64: 'f64', float32: 'f32', float16: 'f16', bfloat16: 'bf16' },
  ...{ int64: 'i64', int32: 'i32', uint8: 'u8', bool: 'bool' },
};

let folder: WeightsFolder;
beforeAll(() => {
  folder = new WeightsFolder();
});
afterAll(() => folder[Symbol.dispose]());

const open = (name: string) => openWeights(folder.file(madeWeights(name)));

describe.each(Object.entries(expectedWeights))('%s, as Python made it,', (name, tensors) => {
  it('has the tensors that were put in', async () => {
    await using weights = await open(name);
    expect([...weights.tensors.keys()].sort()).toEqual(Object.keys(tensors).sort());
    for (const [key, { dims, type }] of Object.entries(tensors)) {
      expect(weights.tensors.get(key), key).toMatchObject({ dims, type: TYPES[type] });
    }
  });

  it('has the numbers that were put in, and those that are no floats are not read', async () => {
    await using weights = await open(name);
    for (const [key, { type, values }] of Object.entries(tensors)) {
      const read = weights.read(key, signal);
      if (type.includes('float')) expect([...(await read)], key).toEqual(values.map(Math.fround));
      else await expect(read, key).rejects.toThrow(/not of floats; take/);
    }
  });
});

describe('what holds more than tensors', () => {
  it.each<[string, RegExp]>([
    ['refused-system.pth', /asks for "posix\.system", which may run programs/],
    ['refused-system-4.pth', /asks for "posix\.system", which may run programs/],
    ['refused-eval.pth', /asks for "(__builtin__|builtins)\.eval", which may run programs/],
    ['refused-whole-module.pth', /asks for "torch\.nn\.modules\.container\.Sequential"/],
    ['refused-sparse.pth', /asks for "torch\._utils\._rebuild_sparse_tensor"/],
    ['refused-device.pth', /asks for "torch\.device"/],
    ['refused-compressed.pth', /is compressed/],
  ])('such as %s, is refused by name', async (name, sentence) => {
    const opened = open(name);
    await expect(opened).rejects.toThrow(WeightsError);
    await expect(opened).rejects.toThrow(sentence);
    expect(existsSync('pwned')).toBe(false);
  });
});

describe('a file of weights', () => {
  it.each<[string, () => string, RegExp]>([
    ['is not there', () => '/nowhere/unet.pth', /cannot be read .*ENOENT/],
    ['is a folder', () => folder.path, /is no file/],
    ['is empty', () => folder.file(Buffer.alloc(0)), /neither a safetensors file nor one of PyTorch's/],
    ['is text', () => folder.file(Buffer.from('<!doctype html>')), /neither a safetensors file nor/],
    ['is a pointer', () => folder.file(Buffer.from('version https://git-lfs.github.com/spec/v1\n')), /git's pointer/],
  ])('that %s is refused', async (_, file, sentence) => {
    const opened = openWeights(file());
    await expect(opened).rejects.toThrow(WeightsError);
    await expect(opened).rejects.toThrow(sentence);
  });

  it('says which tensor it does not have', async () => {
    await using weights = await open('kinds-archive.pth');
    await expect(weights.read('f33', signal)).rejects.toThrow(/has no tensor "f33"; take the file/);
    await expect(weights.read('constructor', signal)).rejects.toThrow(WeightsError);
  });

  it('obeys the signal, before and while it reads', async () => {
    await using weights = await open('kinds.safetensors');
    const stop = new AbortController();
    const reading = weights.read('f32', stop.signal);
    stop.abort(new Error('enough'));
    await expect(reading).rejects.toThrow('enough');
    await expect(weights.read('f32', stop.signal)).rejects.toThrow('enough');
  });

  it('is read no more once it is closed', async () => {
    const weights = await open('kinds.safetensors');
    await weights[Symbol.asyncDispose]();
    await expect(weights.read('f32', signal)).rejects.toThrow(WeightsError);
  });
});
