import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { OnnxConstant, OnnxGraph, OnnxNode } from './onnx-model.ts';

type Attribute = {
  readonly s?: string;
  readonly list?: { readonly i?: readonly string[]; readonly s?: readonly string[] };
};
type TfNode = {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr?: Readonly<Record<string, Attribute>>;
};
type Weight = {
  readonly name: string;
  readonly shape: number[];
  readonly dtype: string;
  readonly quantization?: object;
};
type Tensor = { readonly shape: readonly number[]; readonly data: Float32Array | Int32Array };
type ModelFile = {
  readonly modelTopology: { readonly node: readonly TfNode[] };
  readonly weightsManifest: readonly { readonly paths: readonly string[]; readonly weights: readonly Weight[] }[];
};

/**
 * The graph of a TensorFlow.js model (`file` is its JSON, the weights lie beside it), rewritten for ONNX, which keeps channels
 * before rows and columns; knows the operations of small convolutional networks. Only what `outputs` need is kept; they come
 * as TensorFlow would give them.
 */
export async function readTfjsGraph(
  file: string,
  input: { readonly name: string; readonly size: number },
  outputs: readonly string[],
): Promise<OnnxGraph> {
  const model = JSON.parse(await readFile(file, 'utf8')) as ModelFile;
  const tensors = new Map<string, Tensor>();
  for (const { paths, weights } of model.weightsManifest) {
    const parts = await Promise.all(paths.map((path) => readFile(join(dirname(file), path))));
    for (const [name, tensor] of split(Buffer.concat(parts), weights)) tensors.set(name, tensor);
  }
  const graph = new Rewriting(new Map(model.modelTopology.node.map((node) => [node.name, node])), tensors);
  for (const name of outputs) graph.visit(name);
  const { nodes, constants } = graph;
  return { nodes, constants, outputs, input: { name: input.name, shape: [1, 3, input.size, input.size] } };
}

function* split(bytes: Buffer, weights: readonly Weight[]): Generator<[string, Tensor]> {
  let at = 0;
  for (const { name, shape, dtype, quantization } of weights) {
    const count = shape.reduce((product, size) => product * size, 1);
    // Half floats are the only kind of quantisation in these files.
    const width = quantization ? 2 : 4;
    const view = new DataView(bytes.buffer, bytes.byteOffset + at, count * width);
    const data = dtype === 'int32' ? new Int32Array(count) : new Float32Array(count);
    for (let i = 0; i < count; i++) {
      if (quantization) data[i] = halfFloat(view.getUint16(2 * i, true));
      else data[i] = dtype === 'int32' ? view.getInt32(4 * i, true) : view.getFloat32(4 * i, true);
    }
    yield [name, { shape, data }];
    at += count * width;
  }
}

function halfFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

class Rewriting {
  readonly nodes: OnnxNode[] = [];
  readonly constants: OnnxConstant[] = [];
  readonly #source: ReadonlyMap<string, TfNode>;
  readonly #tensors: ReadonlyMap<string, Tensor>;
  readonly #seen = new Set<string>();

  constructor(source: ReadonlyMap<string, TfNode>, tensors: ReadonlyMap<string, Tensor>) {
    this.#source = source;
    this.#tensors = tensors;
  }

  /** Adds the node and what it needs, in an order in which it can be computed; without recursion, for graphs are deep. */
  visit(last: string): void {
    const stack = [last];
    while (stack.length > 0) {
      const name = stack.at(-1)!;
      const node = this.#source.get(name);
      if (!node) throw new Error(`The graph has no node ${name}.`);
      const missing = (node.input ?? []).filter((one) => !this.#seen.has(one) && !this.#tensors.has(one));
      if (missing.length > 0 && !this.#seen.has(name)) {
        stack.push(...missing);
        continue;
      }
      stack.pop();
      if (!this.#seen.has(name)) this.#rewrite(node);
      this.#seen.add(name);
    }
  }

  #rewrite({ name, op, input = [], attr = {} }: TfNode): void {
    const [first = '', second = '', third = ''] = input;
    switch (op) {
      case 'Placeholder':
        return;
      case '_FusedConv2D':
      case 'DepthwiseConv2dNative': {
        const fused = (attr.fused_ops?.list?.s ?? []).map(decode);
        const [after] = fused.filter((one) => one !== 'BiasAdd');
        const convolved = after ? `${name}:convolved` : name;
        const weights = this.#kernel(second, op !== '_FusedConv2D');
        const bias = fused.includes('BiasAdd') ? [this.#float(third)] : [];
        const { shape } = this.#tensors.get(second)!;
        this.nodes.push({
          op: 'Conv',
          inputs: [first, weights, ...bias],
          output: convolved,
          attributes: {
            auto_pad: padding(attr),
            strides: pair(attr.strides),
            ...(op === '_FusedConv2D' ? {} : { group: shape[2]! }),
          },
        });
        if (after === 'Relu') this.nodes.push({ op: 'Relu', inputs: [convolved], output: name });
        if (after === 'Prelu') this.#prelu(convolved, input[3]!, name);
        return;
      }
      case 'Prelu':
        return this.#prelu(first, second, name);
      case 'AddV2':
        return void this.nodes.push({ op: 'Add', inputs: [first, second], output: name });
      case 'Relu':
      case 'Sigmoid':
      case 'Identity':
        return void this.nodes.push({ op, inputs: [first], output: name });
      case 'MaxPool': {
        const attributes = { auto_pad: padding(attr), strides: pair(attr.strides), kernel_shape: pair(attr.ksize) };
        return void this.nodes.push({ op: 'MaxPool', inputs: [first], output: name, attributes });
      }
      case 'Pad': {
        const around = this.#tensors.get(second)!.data;
        const order = [0, 3, 1, 2].map((axis) => 2 * axis);
        const pads = [...order.map((at) => around[at]!), ...order.map((at) => around[at + 1]!)];
        return void this.nodes.push({ op: 'Pad', inputs: [first, this.#whole(`${name}:pads`, pads)], output: name });
      }
      case 'Reshape': {
        const rows = `${name}:rows`;
        this.nodes.push({ op: 'Transpose', inputs: [first], output: rows, attributes: { perm: [0, 2, 3, 1] } });
        const shape = this.#whole(`${name}:shape`, [...this.#tensors.get(second)!.data]);
        return void this.nodes.push({ op: 'Reshape', inputs: [rows, shape], output: name });
      }
      default:
        throw new Error(`The operation ${op} is not known here.`);
    }
  }

  #prelu(from: string, slope: string, output: string): void {
    const { shape, data } = this.#tensors.get(slope)!;
    const name = `${slope}:slope`;
    this.constants.push({ name, shape: [shape.at(-1)!, 1, 1], data: data as Float32Array });
    this.nodes.push({ op: 'PRelu', inputs: [from, name], output });
  }

  /** Of rows, columns, inputs, outputs (depthwise: inputs, copies) as ONNX has it: outputs, inputs, rows, columns. */
  #kernel(source: string, depthwise: boolean): string {
    const { shape, data } = this.#tensors.get(source)!;
    const [rows, columns, inputs, outputs] = shape as [number, number, number, number];
    const [many, few] = depthwise ? [inputs * outputs, 1] : [outputs, inputs];
    const turned = new Float32Array(data.length);
    for (let at = 0, from = 0; from < rows * columns; from++) {
      for (let i = 0; i < inputs * outputs; i++, at++) {
        const to = depthwise ? i : (i % outputs) * inputs + Math.floor(i / outputs);
        turned[to * rows * columns + from] = data[at]!;
      }
    }
    const name = `${source}:kernel`;
    this.constants.push({ name, shape: [many, few, rows, columns], data: turned });
    return name;
  }

  #float(source: string): string {
    const { shape, data } = this.#tensors.get(source)!;
    const name = `${source}:float`;
    this.constants.push({ name, shape, data: data as Float32Array });
    return name;
  }

  #whole(name: string, values: readonly number[]): string {
    this.constants.push({ name, shape: [values.length], data: BigInt64Array.from(values.map(BigInt)) });
    return name;
  }
}

const decode = (base64: string): string => Buffer.from(base64, 'base64').toString('latin1');
const pair = (attribute: Attribute | undefined): number[] => (attribute?.list?.i ?? []).slice(1, 3).map(Number);
const padding = (attr: Readonly<Record<string, Attribute>>): string =>
  decode(attr.padding?.s ?? '') === 'SAME' ? 'SAME_UPPER' : 'VALID';
