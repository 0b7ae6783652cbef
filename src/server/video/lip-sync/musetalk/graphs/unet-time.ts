import type { Weight } from '../../../../onnx/graph.ts';
import type { UnetConfig } from './config.ts';
import { type Net, part, tensor } from './net.ts';

/** The bias of the first convolution of a residual block, with what the moment in time adds to it. */
export type TimedBias = (block: Net, channels: number) => Weight;

/**
 * MuseTalk paints in one step, always at time 0, so that all that its UNet says about time is constant: it is worked out when
 * weights are read, and the graph knows nothing of time.
 */
export function timedBias(net: Net, { channels: [first = 0], cosinesFirst }: UnetConfig): TimedBias {
  const width = 4 * first;
  const read = (name: string, dims: readonly number[]) => tensor(part(net, 'time_embedding'), name, dims).read;
  const layers = [
    { weight: read('linear_1.weight', [width, first]), bias: read('linear_1.bias', [width]) },
    { weight: read('linear_2.weight', [width, width]), bias: read('linear_2.bias', [width]) },
  ];
  let known: Float32Array | undefined;

  const moment = async (signal: AbortSignal) => {
    if (known) return known;
    // At time 0 every sine is 0 and every cosine 1.
    let values = new Float32Array(first).map((_, i) => (i < first / 2 === cosinesFirst ? 1 : 0));
    for (const { weight, bias } of layers) values = silu(affine(await weight(signal), await bias(signal), values));
    return (known = values);
  };

  return (block, to) => {
    const own = tensor(block, 'conv1.bias', [to]);
    const weight = tensor(block, 'time_emb_proj.weight', [to, width]);
    const bias = tensor(block, 'time_emb_proj.bias', [to]);
    return {
      dims: [to],
      read: async (signal) => {
        const added = affine(await weight.read(signal), await bias.read(signal), await moment(signal));
        const without = await own.read(signal);
        return added.map((value, i) => value + without[i]!);
      },
    };
  };
}

function affine(weight: Float32Array, bias: Float32Array, values: Float32Array): Float32Array<ArrayBuffer> {
  return new Float32Array(bias.length).map((_, row) => {
    let sum = bias[row]!;
    for (let i = 0; i < values.length; i++) sum += weight[row * values.length + i]! * values[i]!;
    return sum;
  });
}

const silu = (values: Float32Array<ArrayBuffer>) => values.map((value) => value / (1 + Math.exp(-value)));
