import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VideoError } from '../../../../src/server/video/contracts.ts';
import { faceParserGraph } from '../../../../src/server/video/lip-sync/musetalk/graphs/face-parser.ts';
import { openWeights } from '../../../../src/server/weights/open-weights.ts';
import type { Weights } from '../../../../src/server/weights/weights.ts';
import { farthest } from '../../../fixtures/musetalk/farthest.ts';
import { floats, ort, runGraph } from '../../../fixtures/musetalk/run-graph.ts';
import {
  PLACES,
  referenceAnswers,
  referencePicture,
  speechNetworkFile,
} from '../../../fixtures/musetalk/speech-networks.ts';

const CLASSES = 19;
const PIXELS = 512 * 512;
/** Where the two likeliest classes are nearer to each other than this, either may come out. */
const SURE = 1e-3;

/** The likeliest of 19 classes, and by how much. */
function best(scores: ArrayLike<number>): { readonly index: number; readonly lead: number } {
  const order = Array.from({ length: CLASSES }, (_, i) => i).sort((a, b) => scores[b]! - scores[a]!);
  return { index: order[0]!, lead: scores[order[0]!]! - scores[order[1]!]! };
}

describe('the face parser', () => {
  it.skipIf(!ort).each(['parser.pth', 'parser-legacy.pth'])('answers as the reference does, from %s', async (file) => {
    await using weights = await openWeights(speechNetworkFile(file));
    const picture = floats(referencePicture(), [1, 3, 512, 512]);
    const [outputs] = await runGraph(faceParserGraph(weights, { logits: true }), [{ picture }]);
    expect(outputs!.classes!.dims).toEqual([1, 512, 512]);
    const classes = outputs!.classes!.data as Uint8Array;
    const logits = outputs!.logits!.data as Float32Array;
    const scoresAt = (pixel: number) => Array.from({ length: CLASSES }, (_, i) => logits[i * PIXELS + pixel]!);

    const reference = referenceAnswers('logits.f32');
    expect(farthest(PLACES.pixels.flatMap(scoresAt), reference)).toBeLessThanOrEqual(1e-4);
    const seen = new Set<number>();
    for (const [i, pixel] of PLACES.pixels.entries()) {
      const { index, lead } = best(reference.subarray(i * CLASSES, (i + 1) * CLASSES));
      if (lead <= SURE) continue;
      expect(classes[pixel]).toBe(index);
      seen.add(index);
    }
    expect(seen.size).toBeGreaterThan(12);
  });

  it.skipIf(!ort)('gives the classes alone if nothing else is asked', async () => {
    await using weights = await openWeights(speechNetworkFile('parser.pth'));
    const picture = floats(referencePicture(), [1, 3, 512, 512]);
    const [outputs] = await runGraph(faceParserGraph(weights), [{ picture }]);
    expect(Object.keys(outputs!)).toEqual(['classes']);
    expect(outputs!.classes!.type).toBe('uint8');
  });

  describe('in a file that does not fit', () => {
    let weights: Weights;
    beforeAll(async () => {
      weights = await openWeights(speechNetworkFile('parser.pth'));
    });
    afterAll(() => weights[Symbol.asyncDispose]());

    const withDims = (name: string, dims: readonly number[] | undefined): Weights => {
      const tensors = new Map(weights.tensors);
      tensors.delete(name);
      if (dims) tensors.set(name, { type: 'f32', dims });
      return { ...weights, tensors };
    };

    it.each([
      [
        'a tensor is missing',
        'cp.resnet.layer3.1.conv2.weight',
        undefined,
        /no tensor cp\.resnet\.layer3\.1\.conv2\.weight/,
      ],
      ['a norm is missing', 'ffm.convblk.bn.running_var', undefined, /no tensor ffm\.convblk\.bn\.running_var/],
      [
        'a shortcut is missing',
        'cp.resnet.layer2.0.downsample.0.weight',
        undefined,
        /no tensor .*layer2\.0\.downsample\.0/,
      ],
      ['a convolution takes other channels', 'ffm.conv2.weight', [12, 5, 1, 1], /\[12, 3, 1, 1\] is needed/],
      ['a convolution has no kernel', 'cp.conv_avg.conv.weight', [6, 10], /cp\.conv_avg\.conv\.weight as \[6, 10\]/],
      ['there are other classes', 'conv_out.conv_out.weight', [11, 12, 1, 1], /tells 11 classes apart instead of 19/],
    ])('says so: %s', (_, name, dims, message) => {
      const build = () => faceParserGraph(withDims(name, dims));
      expect(build).toThrow(VideoError);
      expect(build).toThrow(message);
    });
  });
});
