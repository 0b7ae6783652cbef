import type { Weight } from '../../../../onnx/graph.ts';
import {
  cast,
  largeWeight,
  type Maps,
  type Net,
  part,
  reshape,
  scalar,
  smallWeight,
  tensor,
  transpose,
  transposed,
} from './net.ts';

export type ConvOptions = {
  /** 3 if not given. */
  readonly kernel?: 1 | 3;
  /** 1 if not given. */
  readonly stride?: 1 | 2;
  /** Zeros before and after, along both axes; as many as keep the size, at stride 1, if not given. */
  readonly pads?: readonly [before: number, after: number];
  /** In place of the bias in the file. */
  readonly bias?: Weight;
};

/** The convolution `name` with its bias. */
export function conv(net: Net, name: string, maps: Maps, channels: number, options: ConvOptions = {}): Maps {
  const { kernel = 3, stride = 1 } = options;
  const around = (kernel - 1) / 2;
  const { pads: [before, after] = [around, around] } = options;
  const own = part(net, name);
  const weight = tensor(own, 'weight', [channels, maps.channels, kernel, kernel]);
  const bias = options.bias ?? tensor(own, 'bias', [channels]);
  const value = net.graph.node(
    'Conv',
    [maps.value, largeWeight(own, 'weight', weight), smallWeight(own, 'bias', bias)],
    {
      attributes: {
        kernel_shape: { ints: [kernel, kernel] },
        strides: { ints: [stride, stride] },
        pads: { ints: [before, before, after, after] },
      },
    },
  );
  return { value, channels, size: Math.floor((maps.size + before + after - kernel) / stride) + 1 };
}

export type LinearOptions = {
  /** Whether there is a bias; yes if not given. */
  readonly bias?: boolean;
  /** Whether the file keeps it as a convolution with a kernel of 1. */
  readonly asConv?: boolean;
};

/** The linear layer `name`, applied to the last axis of `value`. */
export function linear(
  net: Net,
  name: string,
  value: string,
  from: number,
  to: number,
  { bias = true, asConv = false }: LinearOptions = {},
): string {
  const { graph } = net;
  const own = part(net, name);
  const weight = tensor(own, 'weight', asConv ? [to, from, 1, 1] : [to, from]);
  // The runtime multiplies by the matrix as it lies: turned once here, it need not be turned in every batch.
  const product = graph.node('MatMul', [value, largeWeight(own, 'weight', transposed(weight))]);
  return bias ? graph.node('Add', [product, smallWeight(own, 'bias', tensor(own, 'bias', [to]))]) : product;
}

/** The group norm `name`, which counts with 32 bits whatever the graph computes with. */
export function groupNorm(net: Net, name: string, maps: Maps, groups: number, epsilon: number): Maps {
  const { graph, precision } = net;
  const { channels, size } = maps;
  const own = part(net, name);
  const numbers = (which: 'weight' | 'bias', ...dims: number[]) =>
    smallWeight(own, which, { dims, read: tensor(own, which, [channels]).read }, 'f32');
  const number = (value: number) => graph.constant({ type: 'f32', dims: [], data: [value] });
  const axes = ([[4], [2, 3]] as const).map((data) => graph.constant({ type: 'i64', dims: [data.length], data }));
  // InstanceNormalization would do, but on the CPU it sums a group in one go: the black half of a face, all one number, adds up
  // errors of 0.1 %. Row by row, and then the rows, they stay near those of one addition. For sums the runtime has quick kernels of
  // its own on CUDA; means and sums of squares it left to cuDNN, the latter after squaring all into memory of its own.
  const mean = (values: string) => {
    const all = axes.reduce((sums, some) => graph.node('ReduceSum', [sums, some]), values);
    return graph.node('Div', [all, number((channels / groups) * size * size)]);
  };

  const grouped = [0, groups, channels / groups, size, size];
  const values = reshape(net, cast(net, maps.value, precision.compute, 'f32'), grouped);
  const centred = graph.node('Sub', [values, mean(values)]);
  const variance = graph.node('Add', [mean(graph.node('Mul', [centred, centred])), number(epsilon)]);
  const scale = graph.node('Div', [numbers('weight', groups, channels / groups, 1, 1), graph.node('Sqrt', [variance])]);
  const flat = reshape(net, centred, [0, channels, size, size]);
  const scaled = graph.node('Mul', [flat, reshape(net, scale, [0, channels, 1, 1])]);
  const normal = graph.node('Add', [scaled, numbers('bias', channels, 1, 1)]);
  return { ...maps, value: cast(net, normal, 'f32', precision.compute) };
}

/** The layer norm `name` over the last axis, of `width` numbers; it counts with 32 bits, as the operator's default has it. */
export function layerNorm(net: Net, name: string, value: string, width: number, epsilon = 1e-5): string {
  const own = part(net, name);
  const numbers = (which: 'weight' | 'bias') => smallWeight(own, which, tensor(own, which, [width]));
  return net.graph.node('LayerNormalization', [value, numbers('weight'), numbers('bias')], {
    attributes: { axis: { int: -1 }, epsilon: { float: epsilon } },
  });
}

/** Each number times its sigmoid. */
export function silu({ graph }: Net, maps: Maps): Maps {
  return { ...maps, value: graph.node('Mul', [maps.value, graph.node('Sigmoid', [maps.value])]) };
}

/** Each number times the share of the normal distribution that lies below it, by the error function. */
export function gelu(net: Net, value: string): string {
  const { graph } = net;
  const share = graph.node('Erf', [graph.node('Div', [value, scalar(net, Math.SQRT2)])]);
  const doubled = graph.node('Mul', [value, graph.node('Add', [share, scalar(net, 1)])]);
  return graph.node('Mul', [doubled, scalar(net, 0.5)]);
}

/**
 * Attention of `heads` heads: queries [batch, n, width], keys and values [batch, m, width] → [batch, n, width]; the scores are
 * weighed with 32 bits. Plain operators: ONNX Runtime's fused one has given wrong numbers on WebGPU.
 */
export function attention(
  net: Net,
  queries: string,
  keys: string,
  values: string,
  width: number,
  heads: number,
): string {
  const { graph, precision } = net;
  const apart = (value: string, order: readonly number[]) =>
    transpose(net, reshape(net, value, [0, 0, heads, width / heads]), order);
  // Half of the scale on either side: the scores of an f16 graph stay far from its largest number.
  const half = scalar(net, (width / heads) ** -0.25);
  const scaled = [apart(queries, [0, 2, 1, 3]), apart(keys, [0, 2, 3, 1])].map((value) =>
    graph.node('Mul', [value, half]),
  );
  const scores = cast(net, graph.node('MatMul', scaled), precision.compute, 'f32');
  const shares = graph.node('Softmax', [scores], { attributes: { axis: { int: -1 } } });
  const heard = graph.node('MatMul', [cast(net, shares, 'f32', precision.compute), apart(values, [0, 2, 1, 3])]);
  return reshape(net, transpose(net, heard, [0, 2, 1, 3]), [0, 0, width]);
}

/** Twice the size, each pixel four times. */
export function upsample({ graph }: Net, maps: Maps): Maps {
  const scales = graph.constant({ type: 'f32', dims: [4], data: [1, 1, 2, 2] });
  const value = graph.node('Resize', [maps.value, '', scales], {
    attributes: {
      mode: { string: 'nearest' },
      coordinate_transformation_mode: { string: 'asymmetric' },
      nearest_mode: { string: 'floor' },
    },
  });
  return { ...maps, value, size: 2 * maps.size };
}

/** The sum of pictures of the same shape. */
export function add({ graph }: Net, one: Maps, other: Maps): Maps {
  return { ...one, value: graph.node('Add', [one.value, other.value]) };
}

/** The channels of both, one after the other. */
export function concat({ graph }: Net, one: Maps, other: Maps): Maps {
  const value = graph.node('Concat', [one.value, other.value], { attributes: { axis: { int: 1 } } });
  return { ...one, value, channels: one.channels + other.channels };
}

/** The pixels as tokens: [batch, size · size, channels]. */
export function toTokens(net: Net, { value, channels }: Maps): string {
  return transpose(net, reshape(net, value, [0, channels, -1]), [0, 2, 1]);
}

/** The tokens as pixels again, in the shape of `like`. */
export function fromTokens(net: Net, value: string, like: Maps): Maps {
  return { ...like, value: reshape(net, transpose(net, value, [0, 2, 1]), [0, like.channels, like.size, like.size]) };
}
