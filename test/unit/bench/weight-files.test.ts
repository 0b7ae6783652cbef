import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type TensorSource,
  type TorchOptions,
  writeSafetensors,
  writeTorchFile,
} from '../../../src/bench/weight-files.ts';
import { openWeights } from '../../../src/server/weights/open-weights.ts';
import { WeightsFolder } from '../../fixtures/weights.ts';

const signal = new AbortController().signal;
let folder: WeightsFolder;
beforeAll(() => {
  folder = new WeightsFolder();
});
afterAll(() => folder[Symbol.dispose]());

const tensor = (name: string, dims: number[], type?: TensorSource['type']): TensorSource => ({
  name,
  dims,
  ...(type && { type }),
  // Whole numbers below 128, which every kind can keep.
  fill: (room) => void room.set(room.map((_, i) => (i % 127) - 60)),
});

describe.each<[string, TorchOptions | undefined]>([
  ['safetensors', undefined],
  ['PyTorch archives', {}],
  ['PyTorch archives of 64 bits', { zip64: true }],
  ['wrapped PyTorch archives', { wrapped: 'state_dict' }],
  ['PyTorch files of before 1.6', { legacy: true }],
  ['wrapped PyTorch files of before 1.6', { legacy: true, wrapped: 'model' }],
])('%s', (kind, options) => {
  it('hold what was written into them', async () => {
    const tensors = [
      tensor('conv.weight', [4, 3, 3, 3]),
      tensor('conv.bias', [4], 'f16'),
      tensor('norm', [300], 'bf16'),
      tensor('none', [0, 7], 'f64'),
      tensor('ä', [], 'f64'),
    ];
    const file = join(folder.path, kind);
    await (options ? writeTorchFile(file, tensors, options) : writeSafetensors(file, tensors));
    await using weights = await openWeights(file);
    expect([...weights.tensors.keys()].sort()).toEqual(tensors.map(({ name }) => name).sort());
    for (const { name, dims, type = 'f32', fill } of tensors) {
      expect(weights.tensors.get(name)).toMatchObject({ dims, type });
      const written = new Float32Array(dims.reduce((product, dim) => product * dim, 1));
      fill(written);
      expect(await weights.read(name, signal), name).toEqual(written);
    }
  });
});
