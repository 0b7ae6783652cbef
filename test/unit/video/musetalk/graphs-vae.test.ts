import { beforeAll, describe, expect, it } from 'vitest';
import { OnnxGraph } from '../../../../src/server/onnx/graph.ts';
import { openNet, type Precision } from '../../../../src/server/video/lip-sync/musetalk/graphs/net.ts';
import { addDecoder, faceEncoderGraph } from '../../../../src/server/video/lip-sync/musetalk/graphs/vae.ts';
import type { Weights } from '../../../../src/server/weights/weights.ts';
import { farthest } from '../../../fixtures/musetalk/farthest.ts';
import { floats, ort, runGraph } from '../../../fixtures/musetalk/run-graph.ts';
import {
  expectedNumbers,
  generatedBytes,
  sampled,
  type TinyNetworks,
  tinyNetworks,
} from '../../../fixtures/musetalk/tiny-networks.ts';

let tiny: TinyNetworks;
beforeAll(async () => {
  tiny = await tinyNetworks();
});

function decoderGraph(precision: Precision): OnnxGraph {
  const graph = new OnnxGraph();
  const latents = graph.input('latents', 'f32', ['batch', 4, 32, 32]);
  const { compute } = precision;
  const value = graph.node('Cast', [latents], { attributes: { to: { int: compute === 'f32' ? 1 : 10 } } });
  const net = openNet(graph, tiny.vae, precision, 'vae');
  const pictures = addDecoder(net, tiny.vaeConfig, { value, channels: 4, size: 32 });
  graph.node('Cast', [pictures.value], { outputs: ['pictures'], attributes: { to: { int: 1 } } });
  graph.output('pictures', 'f32', ['batch', 3, 256, 256]);
  return graph;
}

async function decoded(precision: Precision): Promise<number> {
  const painted = (await expectedNumbers('painted')).subarray(0, 4 * 32 * 32);
  const latents = painted.map((value) => value / tiny.vaeConfig.scaling);
  const [outputs] = await runGraph(decoderGraph(precision), [{ latents: floats(latents, [1, 4, 32, 32]) }]);
  const values = outputs!.pictures!.data as Float32Array;
  return farthest(sampled(values, values.length), await expectedNumbers('decoded'));
}

/** The same weights, with the names that attention has in newer files. */
function renamed(vae: Weights): Weights {
  const names = { query: 'to_q', key: 'to_k', value: 'to_v', proj_attn: 'to_out.0' };
  const newer = (name: string) =>
    Object.entries(names).reduce(
      (all, [old, now]) => all.replace(`.attentions.0.${old}.`, `.attentions.0.${now}.`),
      name,
    );
  const older = new Map([...vae.tensors.keys()].map((name) => [newer(name), name]));
  return {
    ...vae,
    tensors: new Map([...vae.tensors].map(([name, facts]) => [newer(name), facts])),
    read: (name, signal) => vae.read(older.get(name)!, signal),
  };
}

describe("MuseTalk's autoencoder", () => {
  it.skipIf(!ort)(
    'makes the latents that diffusers makes of a face without its lower half, and of a whole one',
    async () => {
      const face = new ort!.Tensor('uint8', generatedBytes(3, 256 * 256 * 3), [1, 256, 256, 3]);
      const expected = await expectedNumbers('encoded');
      for (const vae of [tiny.vae, renamed(tiny.vae)]) {
        const [outputs] = await runGraph(faceEncoderGraph(vae, tiny.vaeConfig), [{ face }]);
        expect(outputs!.latents!.dims).toEqual([1, 8, 32, 32]);
        expect(farthest(outputs!.latents!.data as Float32Array, expected)).toBeLessThan(1e-5);
      }
    },
  );

  it.skipIf(!ort)('makes the pictures of latents that diffusers makes', async () => {
    expect(await decoded({ compute: 'f32', storage: 'f32' })).toBeLessThan(1e-4);
  });

  it.skipIf(!ort).each<Precision>([
    { compute: 'f16', storage: 'f16' },
    { compute: 'f32', storage: 'f16' },
  ])('makes nearly those with 16 bits: %o', async (precision) => {
    const apart = await decoded(precision);
    expect(apart).toBeLessThan(2e-2);
    expect(apart).toBeGreaterThan(1e-5);
  });

  it('names tensors that are missing or unknown', () => {
    const without = new Map([...tiny.vae.tensors].filter(([name]) => name !== 'encoder.conv_in.bias'));
    const build = (tensors: Weights['tensors']) => () =>
      faceEncoderGraph({ ...tiny.vae, file: 'vae.safetensors', tensors }, tiny.vaeConfig);
    expect(build(without)).toThrow('vae.safetensors has no tensor encoder.conv_in.bias');
    const unknown = new Map([...tiny.vae.tensors, ['encoder.extra', { type: 'f32' as const, dims: [1] }]]);
    expect(build(unknown)).toThrow('vae.safetensors has a tensor encoder.extra, which no part of the network uses');
  });
});
