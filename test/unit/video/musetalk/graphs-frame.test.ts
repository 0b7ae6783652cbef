import { beforeAll, describe, expect, it } from 'vitest';
import { frameGraph } from '../../../../src/server/video/lip-sync/musetalk/graphs/frame.ts';
import type { Precision } from '../../../../src/server/video/lip-sync/musetalk/graphs/net.ts';
import { BATCHES } from '../../../../src/server/video/lip-sync/musetalk/networks.ts';
import { farthest } from '../../../fixtures/musetalk/farthest.ts';
import { floats, ort, runGraph } from '../../../fixtures/musetalk/run-graph.ts';
import {
  expectedFaces,
  generatedNumbers,
  sampled,
  type TinyNetworks,
  tinyNetworks,
} from '../../../fixtures/musetalk/tiny-networks.ts';

const FRAMES = 8;
const FACE = 256 * 256 * 3;

let tiny: TinyNetworks;
beforeAll(async () => {
  tiny = await tinyNetworks();
});

const build = (precision: Precision) => {
  const { unet, unetConfig, vae, vaeConfig } = tiny;
  return frameGraph(unet, unetConfig, vae, vaeConfig, precision);
};

/** The bytes of the fixture's eight faces, painted in batches of each size. */
async function painted(precision: Precision): Promise<Uint8Array[]> {
  const states = generatedNumbers(1, FRAMES * 50 * 32);
  const latents = generatedNumbers(2, FRAMES * 8 * 32 * 32);
  const batches = BATCHES.flatMap((batch) =>
    Array.from({ length: FRAMES / batch }, (_, i) => {
      const part = (values: Float32Array, each: number) => values.subarray(i * batch * each, (i + 1) * batch * each);
      return {
        states: floats(part(states, 50 * 32), [batch, 50, 32]),
        latents: floats(part(latents, 8 * 32 * 32), [batch, 8, 32, 32]),
      };
    }),
  );
  const faces = (await runGraph(build(precision), batches)).map(({ faces }) => faces!.data as Uint8Array);
  return BATCHES.map((batch) => {
    const all = new Uint8Array(FRAMES * FACE);
    for (const [i, some] of faces.splice(0, FRAMES / batch).entries()) all.set(some, i * batch * FACE);
    return all;
  });
}

describe('the graph that paints faces', () => {
  it.skipIf(!ort).each<Precision>([
    { compute: 'f32', storage: 'f32' },
    { compute: 'f32', storage: 'f16' },
    { compute: 'f16', storage: 'f16' },
  ])('paints what diffusers paints, in batches of any size: %o', async (precision) => {
    const expected = await expectedFaces();
    for (const faces of await painted(precision)) {
      expect(farthest(sampled(faces, FACE), expected)).toBeLessThanOrEqual(1);
    }
  });

  it('names its weights alike for either way of computing, so that both share one file', () => {
    const names = (precision: Precision) => build(precision).weights.map(({ name, type }) => `${name} ${type}`);
    expect(names({ compute: 'f16', storage: 'f16' })).toEqual(names({ compute: 'f32', storage: 'f16' }));
    expect(new Set(names({ compute: 'f32', storage: 'f16' })).size).toBe(
      build({ compute: 'f32', storage: 'f16' }).weights.length,
    );
  });

  it('refuses networks that do not fit together', () => {
    const { unet, unetConfig, vae, vaeConfig } = tiny;
    const precision: Precision = { compute: 'f32', storage: 'f32' };
    expect(() => frameGraph(unet, { ...unetConfig, inChannels: 4 }, vae, vaeConfig, precision)).toThrow(
      'voice-chat models pull musetalk',
    );
  });
});
