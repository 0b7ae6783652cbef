import { beforeAll, describe, expect, it } from 'vitest';
import { OnnxGraph } from '../../../../src/server/onnx/graph.ts';
import { placeCodes } from '../../../../src/server/video/lip-sync/musetalk/graphs/frame.ts';
import { openNet, type Precision } from '../../../../src/server/video/lip-sync/musetalk/graphs/net.ts';
import { addUnet } from '../../../../src/server/video/lip-sync/musetalk/graphs/unet.ts';
import type { Weights } from '../../../../src/server/weights/weights.ts';
import { farthest } from '../../../fixtures/musetalk/farthest.ts';
import { floats, ort, runGraph } from '../../../fixtures/musetalk/run-graph.ts';
import {
  expectedNumbers,
  generatedNumbers,
  type TinyNetworks,
  tinyNetworks,
} from '../../../fixtures/musetalk/tiny-networks.ts';

let tiny: TinyNetworks;
beforeAll(async () => {
  tiny = await tinyNetworks();
});

const F32: Precision = { compute: 'f32', storage: 'f32' };

function unetGraph(precision: Precision, unet = tiny.unet): OnnxGraph {
  const graph = new OnnxGraph();
  const states = graph.input('states', 'f32', ['batch', 50, 32]);
  const latents = graph.input('latents', 'f32', ['batch', 8, 32, 32]);
  const net = openNet(graph, unet, precision, 'unet');
  const typed = (value: string, to: 'f32' | 'f16') =>
    graph.node('Cast', [value], { attributes: { to: { int: to === 'f32' ? 1 : 10 } } });
  const { compute } = precision;
  const maps = { value: typed(latents, compute), channels: 8, size: 32 };
  const painted = addUnet(net, tiny.unetConfig, maps, typed(states, compute));
  graph.node('Cast', [painted.value], { outputs: ['painted'], attributes: { to: { int: 1 } } });
  graph.output('painted', 'f32', ['batch', 4, 32, 32]);
  return graph;
}

function inputs() {
  const codes = placeCodes(50, 32);
  const states = generatedNumbers(1, 8 * 50 * 32).map((value, i) => value + codes[i % codes.length]!);
  return {
    states: floats(states.subarray(0, 2 * 50 * 32), [2, 50, 32]),
    latents: floats(generatedNumbers(2, 2 * 8 * 32 * 32), [2, 8, 32, 32]),
  };
}

/** The same file but for what `change` does to its list. */
function changed(change: (tensors: Map<string, { type: 'f32'; dims: readonly number[] }>) => void): Weights {
  const tensors = new Map([...tiny.unet.tensors].map(([name, { dims }]) => [name, { type: 'f32' as const, dims }]));
  change(tensors);
  return { ...tiny.unet, file: 'unet.pth', tensors };
}

describe("MuseTalk's UNet at time 0", () => {
  it.skipIf(!ort)('computes what diffusers computes', async () => {
    const [outputs] = await runGraph(unetGraph(F32), [inputs()]);
    expect(farthest(outputs!.painted!.data as Float32Array, await expectedNumbers('painted'))).toBeLessThan(1e-4);
  });

  it.skipIf(!ort).each<Precision>([
    { compute: 'f16', storage: 'f16' },
    { compute: 'f16', storage: 'f32' },
    { compute: 'f32', storage: 'f16' },
  ])('computes nearly that with 16 bits: %o', async (precision) => {
    const [outputs] = await runGraph(unetGraph(precision), [inputs()]);
    const apart = farthest(outputs!.painted!.data as Float32Array, await expectedNumbers('painted'));
    expect(apart).toBeLessThan(2e-2);
    expect(apart).toBeGreaterThan(1e-5);
  });

  it('names a tensor that is missing, that has another shape, and that it does not know', () => {
    const name = 'mid_block.attentions.0.transformer_blocks.0.attn2.to_k.weight';
    const built = (weights: Weights) => () => unetGraph(F32, weights);
    expect(built(changed((tensors) => tensors.delete(name)))).toThrow(`unet.pth has no tensor ${name}`);
    expect(built(changed((tensors) => tensors.set(name, { type: 'f32', dims: [16, 768] })))).toThrow(
      `unet.pth has the tensor ${name} as [16, 768] where [16, 32] is needed: it is not the file that MuseTalk 1.5 is made of, which voice-chat models pull musetalk fetches.`,
    );
    expect(built(changed((tensors) => tensors.set('lora.up', { type: 'f32', dims: [1] })))).toThrow(
      'unet.pth has a tensor lora.up, which no part of the network uses',
    );
  });
});
