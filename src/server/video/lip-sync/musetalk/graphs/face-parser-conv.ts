import type { Weight } from '../../../../onnx/graph.ts';
import { largeWeight, type Maps, type Net, part, smallWeight, tensor } from './net.ts';

/** What the batch norms of PyTorch add to a variance. */
const EPSILON = 1e-5;

/**
 * The convolution `name` without a bias of its own, as wide as its tensor is; the batch norm `norm` after it, which after
 * training only scales and shifts channels, goes into its weights. Throws a `VideoError` where a tensor does not fit.
 */
export function foldedConv(
  net: Net,
  name: string,
  maps: Maps,
  { norm, stride = 1 }: { readonly norm?: string; readonly stride?: 1 | 2 } = {},
): Maps {
  const own = part(net, name);
  const [channels = 0, , kernel = 0] = net.weights.tensors.get(`${own.at}weight`)?.dims ?? [];
  const around = Math.floor(kernel / 2);
  const weight = tensor(own, 'weight', [channels, maps.channels, kernel, kernel]);
  const inputs =
    norm === undefined ? [largeWeight(own, 'weight', weight)] : normalised(own, weight, part(net, norm), channels);
  const value = net.graph.node('Conv', [maps.value, ...inputs], {
    attributes: {
      kernel_shape: { ints: [kernel, kernel] },
      strides: { ints: [stride, stride] },
      pads: { ints: [around, around, around, around] },
    },
  });
  return { value, channels, size: Math.floor((maps.size + 2 * around - kernel) / stride) + 1 };
}

function normalised(net: Net, weight: Weight, norm: Net, channels: number): [weight: string, bias: string] {
  const numbers = ['weight', 'bias', 'running_mean', 'running_var'].map((which) => tensor(norm, which, [channels]));
  const folded = async (signal: AbortSignal) => {
    const [gain, shift, mean, variance] = await Promise.all(numbers.map(({ read }) => read(signal)));
    const scale = gain!.map((value, i) => value / Math.sqrt(variance![i]! + EPSILON));
    return { scale, bias: shift!.map((value, i) => value - mean![i]! * scale[i]!) };
  };
  const scaled = async (signal: AbortSignal) => {
    const [values, { scale }] = await Promise.all([weight.read(signal), folded(signal)]);
    const each = values.length / channels;
    return values.map((value, i) => value * scale[Math.floor(i / each)]!);
  };
  return [
    largeWeight(net, 'weight', { dims: weight.dims, read: scaled }),
    smallWeight(net, 'bias', { dims: [channels], read: async (signal) => (await folded(signal)).bias }),
  ];
}
