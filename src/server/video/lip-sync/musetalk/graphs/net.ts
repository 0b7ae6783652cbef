import { type OnnxGraph, TYPE_NUMBERS, type Weight } from '../../../../onnx/graph.ts';
import type { Weights } from '../../../../weights/weights.ts';
import { VideoError } from '../../../contracts.ts';

/** How a graph computes, and how its large weights are kept; biases and the numbers of norms are kept as 32 bits. */
export type Precision = { readonly compute: 'f32' | 'f16'; readonly storage: 'f32' | 'f16' };

/** A network that is being built: where its nodes go, and which tensors of its file are meant. */
export type Net = {
  readonly graph: OnnxGraph;
  readonly weights: Weights;
  readonly precision: Precision;
  /** Goes before the names of tensors in the graph, in which several networks may lie. */
  readonly label: string;
  /** What the names of tensors begin with in the file; empty, or ending with a full stop. */
  readonly at: string;
  /** The tensors that were used. */
  readonly used: Set<string>;
};

/** A square picture of so many channels that the graph computes: [batch, channels, size, size]. */
export type Maps = { readonly value: string; readonly channels: number; readonly size: number };

/** Begins to build a network whose tensors are `weights`. */
export function openNet(graph: OnnxGraph, weights: Weights, precision: Precision, label: string): Net {
  return { graph, weights, precision, label, at: '', used: new Set() };
}

/** The part of a network whose tensors' names begin with `name` and a full stop. */
export function part(net: Net, name: string): Net {
  return { ...net, at: `${net.at}${name}.` };
}

/** Whether the network's file has a tensor of this name. */
export function hasTensor(net: Net, name: string): boolean {
  return net.weights.tensors.has(net.at + name);
}

/** A tensor of the network's file; throws a `VideoError` where it is missing or has another shape. */
export function tensor(net: Net, name: string, dims: readonly number[]): Weight {
  const whole = net.at + name;
  const facts = net.weights.tensors.get(whole);
  if (!facts) throw wrongFile(net.weights, `has no tensor ${whole}`);
  if (facts.dims.join() !== dims.join()) {
    throw wrongFile(net.weights, `has the tensor ${whole} as ${shape(facts.dims)} where ${shape(dims)} is needed`);
  }
  net.used.add(whole);
  return { dims, read: (signal) => net.weights.read(whole, signal) };
}

/** Throws a `VideoError` where the file has a tensor that nothing has used, apart from those of the parts in `besides`. */
export function refuseUnused({ weights, used }: Net, besides: readonly string[] = []): void {
  for (const name of weights.tensors.keys()) {
    if (used.has(name) || besides.some((other) => name.startsWith(`${other}.`))) continue;
    throw wrongFile(weights, `has a tensor ${name}, which no part of the network uses`);
  }
}

/** A large weight for the graph, as the graph computes. */
export function largeWeight(net: Net, name: string, weight: Weight): string {
  const { compute, storage } = net.precision;
  return cast(net, placed(net, name, storage, weight), storage, compute);
}

/** A bias or the like for the graph, as the graph computes or, for norms, as 32 bits. */
export function smallWeight(net: Net, name: string, weight: Weight, compute = net.precision.compute): string {
  return cast(net, placed(net, name, 'f32', weight), 'f32', compute);
}

/** `value` as another type; itself where that is the type that it has. */
export function cast({ graph }: Net, value: string, from: 'f32' | 'f16', to: 'f32' | 'f16'): string {
  if (from === to) return value;
  return graph.node('Cast', [value], { attributes: { to: { int: TYPE_NUMBERS[to] } } });
}

/** `value` in another shape; 0 keeps a dimension as it is, and -1 takes what is left. */
export function reshape({ graph }: Net, value: string, dims: readonly number[]): string {
  return graph.node('Reshape', [value, graph.constant({ type: 'i64', dims: [dims.length], data: dims })]);
}

/** `value` with its dimensions in another order. */
export function transpose({ graph }: Net, value: string, order: readonly number[]): string {
  return graph.node('Transpose', [value], { attributes: { perm: { ints: order } } });
}

/** One number as the graph computes, for an operator that applies it to all. */
export function scalar({ graph, precision }: Net, value: number): string {
  return graph.constant({ type: precision.compute, dims: [], data: [value] });
}

/** A matrix of `dims` the other way round. */
export function transposed({ dims, read }: Weight): Weight {
  const [rows = 1, columns = 1] = dims;
  return {
    dims: [columns, rows],
    read: async (signal) => {
      const values = await read(signal);
      const turned = new Float32Array(values.length);
      // In tiles, since a step down a column is a step far away in memory.
      for (let top = 0; top < rows; top += TILE) {
        for (let left = 0; left < columns; left += TILE) {
          turnTile(values, turned, rows, columns, top, left);
        }
      }
      return turned;
    },
  };
}

const TILE = 32;

function turnTile(
  values: Float32Array,
  turned: Float32Array,
  rows: number,
  columns: number,
  top: number,
  left: number,
): void {
  const right = Math.min(left + TILE, columns);
  const bottom = Math.min(top + TILE, rows);
  for (let row = top; row < bottom; row++) {
    for (let column = left; column < right; column++) turned[column * rows + row] = values[row * columns + column]!;
  }
}

function placed({ graph, label, at }: Net, name: string, kept: 'f32' | 'f16', weight: Weight): string {
  return graph.weight(`${label}.${at}${name}`, kept, weight);
}

function wrongFile({ file }: Weights, what: string): VideoError {
  return new VideoError(
    `${file} ${what}: it is not the file that MuseTalk 1.5 is made of, which voice-chat models pull musetalk fetches.`,
  );
}

const shape = (dims: readonly number[]): string => `[${dims.join(', ')}]`;
