import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Attribute, OnnxGraph } from '../../onnx/graph.ts';
import { fromHalf } from '../../weights/half.ts';

type TfAttribute = {
  readonly s?: string;
  readonly list?: { readonly i?: readonly string[]; readonly s?: readonly string[] };
};
type TfNode = {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr?: Readonly<Record<string, TfAttribute>>;
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
 * before rows and columns; knows the operations of small convolutional networks. Only what `outputs` (their names and dims)
 * need is kept; they come as TensorFlow would give them.
 */
export async function readTfjsGraph(
  file: string,
  input: { readonly name: string; readonly size: number },
  outputs: Readonly<Record<string, readonly number[]>>,
): Promise<OnnxGraph> {
  const model = JSON.parse(await readFile(file, 'utf8')) as ModelFile;
  const tensors = new Map<string, Tensor>();
  for (const { paths, weights } of model.weightsManifest) {
    const parts = await Promise.all(paths.map((path) => readFile(join(dirname(file), path))));
    for (const [name, tensor] of split(Buffer.concat(parts), weights)) tensors.set(name, tensor);
  }
  const rewriting = new Rewriting(new Map(model.modelTopology.node.map((node) => [node.name, node])), tensors);
  rewriting.graph.input(input.name, 'f32', [1, 3, input.size, input.size]);
  for (const [name, dims] of Object.entries(outputs)) {
    rewriting.visit(name);
    rewriting.graph.output(name, 'f32', dims);
  }
  return rewriting.graph;
}

function* split(bytes: Buffer, weights: readonly Weight[]): Generator<[string, Tensor]> {
  let at = 0;
  for (const { name, shape, dtype, quantization } of weights) {
    const count = shape.reduce((product, size) => product * size, 1);
    // Half floats are the only kind of quantisation in these files.
    const width = quantization ? 2 : 4;
    // A copy, since numbers of several bytes have to begin at a multiple of their width.
    const { buffer } = Uint8Array.from(bytes.subarray(at, at + count * width));
    yield [name, { shape, data: numbersOf(buffer, quantization ? 'half' : dtype) }];
    at += count * width;
  }
}

function numbersOf(buffer: ArrayBuffer, kind: string): Tensor['data'] {
  if (kind === 'half') return fromHalf(new Uint16Array(buffer));
  return kind === 'int32' ? new Int32Array(buffer) : new Float32Array(buffer);
}

class Rewriting {
  readonly graph = new OnnxGraph();
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
        this.#node('Conv', [first, weights, ...bias], convolved, {
          auto_pad: padding(attr),
          strides: pair(attr.strides),
          ...(op === '_FusedConv2D' ? {} : { group: { int: shape[2]! } }),
        });
        if (after === 'Relu') this.#node('Relu', [convolved], name);
        if (after === 'Prelu') this.#prelu(convolved, input[3]!, name);
        return;
      }
      case 'Prelu':
        return this.#prelu(first, second, name);
      case 'AddV2':
        return this.#node('Add', [first, second], name);
      case 'Relu':
      case 'Sigmoid':
      case 'Identity':
        return this.#node(op, [first], name);
      case 'MaxPool': {
        const attributes = { auto_pad: padding(attr), strides: pair(attr.strides), kernel_shape: pair(attr.ksize) };
        return this.#node('MaxPool', [first], name, attributes);
      }
      case 'Pad': {
        const around = this.#tensors.get(second)!.data;
        const order = [0, 3, 1, 2].map((axis) => 2 * axis);
        const pads = [...order.map((at) => around[at]!), ...order.map((at) => around[at + 1]!)];
        return this.#node('Pad', [first, this.#whole(`${name}:pads`, pads)], name);
      }
      case 'Reshape': {
        const rows = `${name}:rows`;
        this.#node('Transpose', [first], rows, { perm: { ints: [0, 2, 3, 1] } });
        return this.#node('Reshape', [rows, this.#whole(`${name}:shape`, this.#tensors.get(second)!.data)], name);
      }
      default:
        throw new Error(`The operation ${op} is not known here.`);
    }
  }

  #node(
    operator: string,
    inputs: readonly string[],
    output: string,
    attributes: Readonly<Record<string, Attribute>> = {},
  ): void {
    this.graph.node(operator, inputs, { attributes, outputs: [output] });
  }

  #prelu(from: string, slope: string, output: string): void {
    const { shape, data } = this.#tensors.get(slope)!;
    const dims = [shape.at(-1)!, 1, 1];
    this.#node('PRelu', [from, this.graph.constant({ type: 'f32', dims, data }, `${slope}:slope`)], output);
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
    return this.graph.constant({ type: 'f32', dims: [many, few, rows, columns], data: turned }, `${source}:kernel`);
  }

  #float(source: string): string {
    const { shape, data } = this.#tensors.get(source)!;
    return this.graph.constant({ type: 'f32', dims: shape, data }, `${source}:float`);
  }

  #whole(name: string, data: ArrayLike<number>): string {
    return this.graph.constant({ type: 'i64', dims: [data.length], data }, name);
  }
}

const decode = (base64: string): string => Buffer.from(base64, 'base64').toString('latin1');
const pair = (attribute: TfAttribute | undefined): Attribute => ({
  ints: (attribute?.list?.i ?? []).slice(1, 3).map(Number),
});
const padding = (attr: Readonly<Record<string, TfAttribute>>): Attribute => ({
  string: decode(attr.padding?.s ?? '') === 'SAME' ? 'SAME_UPPER' : 'VALID',
});
