import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { NodeOptions, OnnxGraph, Tensor } from '../../server/onnx/graph.ts';

export const f32 = (dims: readonly number[], data: ArrayLike<number>): Tensor => ({ type: 'f32', dims, data });
export const scalar = (value: number): Tensor => f32([], [value]);
export const i64 = (...data: readonly number[]): Tensor => ({ type: 'i64', dims: [data.length], data });
export const index = (value: number): Tensor => ({ type: 'i64', dims: [], data: [value] });

/** A matrix by its rows. */
export const matrix = (...rows: readonly (readonly number[])[]): Tensor =>
  f32([rows.length, rows[0]!.length], rows.flat());

/** `count` times `rest`, except at the named places. */
export const mostly = (count: number, rest: number, at: Readonly<Record<number, number>>): number[] =>
  Array.from({ length: count }, (_, i) => at[i] ?? rest);

/** A node whose further inputs are constants. */
export function apply(
  graph: OnnxGraph,
  operator: string,
  input: string,
  constants: readonly Tensor[],
  options: NodeOptions = {},
): string {
  return graph.node(operator, [input, ...constants.map((one) => graph.constant(one))], options);
}

/** The mean, sum or maximum over one axis, as `operator` says; the axis is kept with length 1 if asked for. */
export function reduced(
  graph: OnnxGraph,
  operator: 'ReduceMean' | 'ReduceMax',
  input: string,
  axis: number,
  keep = true,
) {
  return graph.node(operator, [input], { attributes: { axes: { ints: [axis] }, keepdims: { int: keep ? 1 : 0 } } });
}

/** How many numbers of `input` are greater than `limit`, times `scale`, as a matrix of one by one. */
export function countAbove(graph: OnnxGraph, input: string, limit: number, scale: number): string {
  const above = graph.node('Cast', [apply(graph, 'Greater', input, [scalar(limit)])], {
    attributes: { to: { int: 1 } },
  });
  const sum = graph.node('ReduceSum', [above], { attributes: { keepdims: { int: 0 } } });
  return apply(graph, 'Reshape', apply(graph, 'Mul', sum, [scalar(scale)]), [i64(1, 1)]);
}

/** `value` as a float matrix of one by one. */
export function asNumber(graph: OnnxGraph, value: string): string {
  return apply(graph, 'Reshape', graph.node('Cast', [value], { attributes: { to: { int: 1 } } }), [i64(1, 1)]);
}

/** Adds 0 times the sum of `value` (any shape and type): an input that means nothing here is used all the same. */
export function alsoUsing(graph: OnnxGraph, to: string, value: string): string {
  const numbers = graph.node('Cast', [value], { attributes: { to: { int: 1 } } });
  const sum = graph.node('ReduceSum', [numbers], { attributes: { keepdims: { int: 0 } } });
  return graph.node('Add', [to, apply(graph, 'Mul', sum, [scalar(0)])]);
}

/** Writes the files of a model into `folder`: by role, its name and what is in it; returns their paths by role. */
export async function writeFiles<Role extends string>(
  folder: string,
  files: Readonly<Record<Role, readonly [name: string, content: Uint8Array | string]>>,
): Promise<Record<Role, string>> {
  await mkdir(folder, { recursive: true });
  const paths: Record<string, string> = {};
  for (const [role, [name, content]] of Object.entries<readonly [string, Uint8Array | string]>(files)) {
    paths[role] = join(folder, name);
    await writeFile(paths[role], content);
  }
  return paths as Record<Role, string>;
}

/** A tokens file: a token and its number per line. */
export const tokensText = (tokens: readonly string[]): string => tokens.map((token, i) => `${token} ${i}\n`).join('');

/** A tokens file of those models whose tokens are written in base64, with plain spaces. */
export const base64Tokens = (tokens: readonly string[]): string =>
  tokensText(tokens.map((token) => Buffer.from(token.replace('▁', ' ')).toString('base64')));
