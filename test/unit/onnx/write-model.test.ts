import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OnnxGraph } from '../../../src/server/onnx/graph.ts';
import { WeightsFile, writeModel } from '../../../src/server/onnx/write-model.ts';

const ort = await import('onnxruntime-node').catch(() => undefined);
const never = new AbortController().signal;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'voice-chat-write-model-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** y = x · weight + bias, with both weights beside the model; `type` is how the bias is kept. */
function sum(type: 'f32' | 'f16', reads: string[] = []): OnnxGraph {
  const graph = new OnnxGraph();
  const kept = (name: string, values: number[]) => ({
    dims: [values.length],
    read: async () => {
      reads.push(name);
      return Float32Array.from(values);
    },
  });
  const x = graph.input('x', 'f32', [3]);
  const product = graph.node('Mul', [x, graph.weight('scale', 'f32', kept('scale', [1, 2, 3]))]);
  const bias = graph.weight('bias', type, kept('bias', [0.5, 1, 1 / 3]));
  const wide = type === 'f32' ? bias : graph.node('Cast', [bias], { attributes: { to: { int: 1 } } });
  graph.node('Add', [product, wide], { outputs: ['y'] });
  graph.output('y', 'f32', [3]);
  return graph;
}

describe('a model with its weights beside it', () => {
  it.skipIf(!ort)('is loaded by onnxruntime; two models share the weights that are the same', async () => {
    const reads: string[] = [];
    const progress: number[] = [];
    {
      await using beside = await WeightsFile.create(join(folder, 'weights.data'));
      await writeModel(join(folder, 'a.onnx'), sum('f32', reads), beside, (done) => progress.push(done), never);
      await writeModel(join(folder, 'b.onnx'), sum('f16', reads), beside, () => {}, never);
    }
    expect(reads).toEqual(['scale', 'bias', 'bias']);
    expect(progress).toEqual([0.5, 1]);
    expect(statSync(join(folder, 'weights.data')).size).toBe(2 * 4096 + 6);
    const run = async (name: string) => {
      const session = await ort!.InferenceSession.create(join(folder, name));
      const { y } = await session.run({ x: new ort!.Tensor('float32', Float32Array.of(1, 1, 1), [3]) });
      return [...(y!.data as Float32Array)];
    };
    expect(await run('a.onnx')).toEqual([1.5, 3, Math.fround(3 + 1 / 3)]);
    expect(await run('b.onnx')).toEqual([1.5, 3, 3.333251953125]);
  });

  it('stops where its signal aborts, and names a weight of a wrong size', async () => {
    const abort = new AbortController();
    await using beside = await WeightsFile.create(join(folder, 'stopped.data'));
    const stopped = writeModel(join(folder, 'c.onnx'), sum('f32'), beside, () => abort.abort(), abort.signal);
    await expect(stopped).rejects.toThrow(/aborted/);
    const graph = new OnnxGraph();
    graph.weight('short', 'f32', { dims: [2, 2], read: async () => new Float32Array(3) });
    const short = writeModel(join(folder, 'd.onnx'), graph, beside, () => {}, never);
    await expect(short).rejects.toThrow('The weight short (2 × 2) has 3 numbers.');
  });
});
