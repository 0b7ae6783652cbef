import { describe, expect, it } from 'vitest';
import { OnnxGraph, onnxModel } from '../../../src/server/onnx/graph.ts';

const ort = await import('onnxruntime-node').catch(() => undefined);

describe('a model written by hand', () => {
  it.skipIf(!ort)('is run by onnxruntime, with its constants, attributes and dimensions of any length', async () => {
    const graph = new OnnxGraph();
    const x = graph.input('x', 'f32', ['N', 2]);
    const weights = graph.constant({ type: 'f32', dims: [2, 3], data: [1, 0, -1, 0, 2, 1] });
    const product = graph.node('MatMul', [x, weights]);
    const clipped = graph.node('LeakyRelu', [product], { attributes: { alpha: { float: 0.5 } } });
    graph.node('Transpose', [clipped], { attributes: { perm: { ints: [1, 0] } }, outputs: ['y'] });
    graph.output('y', 'f32', [3, 'N']);
    const best = graph.node('ArgMax', ['y'], { attributes: { axis: { int: 0 }, keepdims: { int: 0 } } });
    const offset = graph.constant({ type: 'i64', dims: [], data: [-5] });
    graph.node('Add', [best, offset], { outputs: ['best'] });
    graph.output('best', 'i64', ['N']);
    const model = onnxModel(graph, { metadata: { made_by: 'hand', version: 2 } });

    const session = await ort!.InferenceSession.create(model);
    const input = new ort!.Tensor('float32', Float32Array.of(1, 2, 3, -4), [2, 2]);
    const { y, best: last } = await session.run({ x: input });
    expect(y!.dims).toEqual([3, 2]);
    expect([...(y!.data as Float32Array)]).toEqual([1, 3, 4, -4, 1, -3.5]);
    expect([...(last!.data as BigInt64Array)]).toEqual([-4n, -5n]);
  });

  it.skipIf(!ort)('takes one of two branches', async () => {
    const branch = (value: number) => {
      const graph = new OnnxGraph();
      graph.output(graph.constant({ type: 'f32', dims: [1], data: [value] }, `value${value}`), 'f32', [1]);
      return { graph };
    };
    const graph = new OnnxGraph();
    const which = graph.input('which', 'bool', [1]);
    const attributes = { then_branch: branch(1), else_branch: branch(2) };
    graph.output(graph.node('If', [which], { attributes, outputs: ['y'] }), 'f32', [1]);
    const session = await ort!.InferenceSession.create(onnxModel(graph));
    const { y } = await session.run({ which: new ort!.Tensor('bool', Uint8Array.of(0), [1]) });
    expect([...(y!.data as Float32Array)]).toEqual([2]);
  });

  it.skipIf(!ort)('says which domains its operators come from', async () => {
    const graph = new OnnxGraph();
    const x = graph.input('x', 'f32', [1]);
    graph.output(graph.node('QuickGelu', [x], { domain: 'com.microsoft', outputs: ['y'] }), 'f32', [1]);
    expect(graph.domains).toEqual(['com.microsoft']);
    const model = onnxModel(graph);
    // Once in the node, once in the list of what the model needs.
    expect(Buffer.from(model).toString('latin1').split('com.microsoft')).toHaveLength(3);
    const session = await ort!.InferenceSession.create(model);
    const { y } = await session.run({ x: new ort!.Tensor('float32', Float32Array.of(0), [1]) });
    expect([...(y!.data as Float32Array)]).toEqual([0]);
  });

  it('refuses a tensor whose data do not fill it', () => {
    expect(() => new OnnxGraph().constant({ type: 'f32', dims: [2, 2], data: [1] })).toThrow(/needs 4 numbers, not 1/);
  });
});
