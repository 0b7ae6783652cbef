import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VideoError } from '../../../../src/server/video/contracts.ts';
import { readWhisperConfig, speechGraph } from '../../../../src/server/video/lip-sync/musetalk/graphs/whisper.ts';
import { openWeights } from '../../../../src/server/weights/open-weights.ts';
import type { Weights } from '../../../../src/server/weights/weights.ts';
import { farthest } from '../../../fixtures/musetalk/farthest.ts';
import { floats, ort, runGraph } from '../../../fixtures/musetalk/run-graph.ts';
import {
  PLACES,
  referenceAnswers,
  referenceMel,
  speechNetworkFile,
} from '../../../fixtures/musetalk/speech-networks.ts';

const json = readFileSync(speechNetworkFile('whisper.json'), 'utf8');
const changed = (change: object) => JSON.stringify({ ...JSON.parse(json), ...change });

describe("whisper's encoder", () => {
  it.skipIf(!ort).each(['whisper.safetensors', 'whisper.bin'])(
    'answers as the reference does, from %s',
    async (file) => {
      await using weights = await openWeights(speechNetworkFile(file));
      const config = readWhisperConfig(json);
      const mel = floats(referenceMel(), [1, 80, 3000]);
      const [outputs] = await runGraph(speechGraph(weights, config), [{ mel }]);
      const states = outputs!.states;
      expect(states!.dims).toEqual([1, 1500, 5, 32]);
      const token = (i: number) => (states!.data as Float32Array).subarray(i * 160, (i + 1) * 160);
      const answers = PLACES.tokens.flatMap((i) => [...token(i)]);
      expect(farthest(answers, referenceAnswers('states.f32'))).toBeLessThanOrEqual(1e-4);
    },
  );

  it('has the width and the heads of its configuration', () => {
    expect(readWhisperConfig(json)).toEqual({ width: 32, heads: 2, inner: 40 });
  });

  it.each([
    ['no JSON', '{', /not JSON/],
    ['JSON of something else', 'null', /model_type is whisper, here it is missing/],
    ['another model', changed({ model_type: 'wav2vec2' }), /model_type is whisper, here it is "wav2vec2"/],
    [
      'six layers',
      changed({ encoder_layers: 6 }),
      /encoder_layers is 4, here it is 6; use that of openai\/whisper-tiny/,
    ],
    ['128 bands', changed({ num_mel_bins: 128 }), /num_mel_bins is 80, here it is 128/],
    ['another activation', changed({ activation_function: 'relu' }), /activation_function is gelu/],
    ['heads that do not fit', changed({ encoder_attention_heads: 3 }), /heads and encoder_ffn_dim that fit/],
    ['no width', changed({ d_model: '32' }), /no d_model/],
  ])('refuses a configuration that is %s', (_, text, message) => {
    expect(() => readWhisperConfig(text)).toThrow(VideoError);
    expect(() => readWhisperConfig(text)).toThrow(message);
  });

  describe('in a file that does not fit', () => {
    let weights: Weights;
    beforeAll(async () => {
      weights = await openWeights(speechNetworkFile('whisper.safetensors'));
    });
    afterAll(() => weights[Symbol.asyncDispose]());

    it('names the tensor that has another shape', () => {
      const build = () => speechGraph(weights, { ...readWhisperConfig(json), inner: 48 });
      expect(build).toThrow(VideoError);
      expect(build).toThrow(/model\.encoder\.layers\.0\.fc1\.weight as \[40, 32\] where \[48, 32\] is needed/);
    });

    it('is not one whose names begin otherwise', () => {
      const bare = [...weights.tensors].map(([name, facts]) => [name.replace('model.encoder.', ''), facts] as const);
      const graph = speechGraph({ ...weights, tensors: new Map(bare) }, readWhisperConfig(json));
      expect(graph.weights).toHaveLength(67);
    });

    it('names the tensor that is missing', () => {
      const tensors = new Map(weights.tensors);
      tensors.delete('model.encoder.layers.3.self_attn.out_proj.bias');
      const build = () => speechGraph({ ...weights, tensors }, readWhisperConfig(json));
      expect(build).toThrow(/has no tensor model\.encoder\.layers\.3\.self_attn\.out_proj\.bias/);
      expect(() => speechGraph({ ...weights, tensors: new Map() }, readWhisperConfig(json))).toThrow(/conv1\.weight/);
    });
  });
});
