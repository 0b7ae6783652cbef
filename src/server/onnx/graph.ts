import { toHalf } from '../weights/half.ts';
import { bytesField, floatField, joined, numberField, textField } from './protobuf.ts';

/** The element types of tensors that can be written; data is given as plain numbers, whatever the type. */
export type ElementType = 'f32' | 'f16' | 'u8' | 'i32' | 'i64' | 'bool';

/** Constant data of a model: `data` in row-major order, `dims` empty for a scalar. */
export type Tensor = { readonly type: ElementType; readonly dims: readonly number[]; readonly data: ArrayLike<number> };

/** A tensor that is read when it is written: row-major numbers, as many as `dims` say. */
export type Weight = { readonly dims: readonly number[]; read(signal: AbortSignal): Promise<Float32Array> };

/** A weight that a graph names and `writeModel` has yet to write. */
export type NamedWeight = { readonly name: string; readonly type: 'f32' | 'f16'; readonly weight: Weight };

/** Where the bytes of a tensor lie in a file beside the model. */
export type Place = { readonly file: string; readonly offset: number; readonly length: number };

/** What a node is set to, in the kind that the operator's description asks for. */
export type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly string: string }
  | { readonly ints: readonly number[] }
  | { readonly floats: readonly number[] }
  | { readonly tensor: Tensor }
  | { readonly graph: OnnxGraph };

export type NodeOptions = {
  readonly attributes?: Readonly<Record<string, Attribute>>;
  /** Names of the results, where they matter or where there are several. */
  readonly outputs?: readonly string[];
  /** The operator's domain, such as `com.microsoft`; that of ONNX itself if not given. */
  readonly domain?: string;
};

/** What a model calls element types (TensorProto.DataType), for operators that are told one, such as Cast. */
export const TYPE_NUMBERS: Readonly<Record<ElementType, number>> = { f32: 1, u8: 2, i32: 6, i64: 7, bool: 9, f16: 10 };

/** A model's graph, put together node by node; every method that makes a value returns the value's name. */
export class OnnxGraph {
  readonly #fields: Uint8Array[] = [];
  readonly #weights = new Map<string, NamedWeight>();
  readonly #domains = new Set<string>();
  #lastId = 0;

  /** The operator domains, apart from that of ONNX itself, that nodes come from. */
  get domains(): readonly string[] {
    return [...this.#domains];
  }

  /** What `writeModel` has to write beside the model, in the order in which it was named. */
  get weights(): readonly NamedWeight[] {
    return [...this.#weights.values()];
  }

  /** Declares an input; a dimension that is a word may be of any length. */
  input(name: string, type: ElementType, dims: readonly (number | string)[]): string {
    this.#fields.push(bytesField(11, valueInfo(name, type, dims)));
    return name;
  }

  /** Declares that the value `name` is an output. */
  output(name: string, type: ElementType, dims: readonly (number | string)[]): void {
    this.#fields.push(bytesField(12, valueInfo(name, type, dims)));
  }

  /** Keeps a tensor in the model, under a name of its own if none is given. */
  constant(tensor: Tensor, name = this.#name('constant')): string {
    this.#fields.push(bytesField(5, joined(tensorFields(tensor), textField(8, name))));
    return name;
  }

  /** Names a weight that is written beside the model, as 32 or 16 bits; the same name again is the same weight. */
  weight(name: string, type: 'f32' | 'f16', weight: Weight): string {
    this.#weights.set(name, { name, type, weight });
    return name;
  }

  /** Says where a weight's bytes lie; for `writeModel`. */
  place({ name, type, weight }: NamedWeight, { file, offset, length }: Place): void {
    const entry = (key: string, value: string | number) =>
      bytesField(13, joined(textField(1, key), textField(2, String(value))));
    this.#fields.push(
      bytesField(
        5,
        joined(
          ...weight.dims.map((dim) => numberField(1, dim)),
          numberField(2, TYPE_NUMBERS[type]),
          textField(8, name),
          entry('location', file),
          entry('offset', offset),
          entry('length', length),
          // TensorProto.DataLocation EXTERNAL
          numberField(14, 1),
        ),
      ),
    );
  }

  /** Applies an operator and returns the name of its (first) result; an input that is left out is an empty name. */
  node(operator: string, inputs: readonly string[], options: NodeOptions = {}): string {
    const { attributes = {}, outputs = [this.#name(operator)], domain } = options;
    const fields = [
      ...inputs.map((input) => textField(1, input)),
      ...outputs.map((output) => textField(2, output)),
      textField(3, this.#name(`${operator}_node`)),
      textField(4, operator),
      ...Object.entries(attributes).map(([name, value]) => bytesField(5, attributeFields(name, value))),
      ...(domain === undefined ? [] : [textField(7, domain)]),
    ];
    if (domain !== undefined) this.#domains.add(domain);
    this.#fields.push(bytesField(1, joined(...fields)));
    return outputs[0]!;
  }

  /** The graph as a GraphProto. */
  bytes(): Uint8Array {
    return joined(textField(2, 'graph'), ...this.#fields);
  }

  #name(what: string): string {
    return `${what}_${++this.#lastId}`;
  }
}

export type ModelOptions = {
  /** Of the operators of ONNX itself; 17 if not given. */
  readonly opset?: number;
  /** Versions of further operator domains; 1 for those of the graph's nodes if not given. */
  readonly domains?: Readonly<Record<string, number>>;
  /** Notes that the model carries for whoever loads it. */
  readonly metadata?: Readonly<Record<string, string | number>>;
};

/** The bytes of an `.onnx` file. Field numbers are those of onnx.proto3 (ModelProto, GraphProto, NodeProto and so on). */
export function onnxModel(
  graph: OnnxGraph,
  { opset = 17, domains = {}, metadata = {} }: ModelOptions = {},
): Uint8Array {
  const operatorSet = (domain: string, version: number) =>
    bytesField(8, joined(textField(1, domain), numberField(2, version)));
  return joined(
    numberField(1, 8), // IR version 8: understood by every runtime in use, enough for opset 17
    textField(2, 'voice-chat'),
    bytesField(7, graph.bytes()),
    operatorSet('', opset),
    ...Object.entries({ ...Object.fromEntries(graph.domains.map((domain) => [domain, 1])), ...domains }).map(
      ([domain, version]) => operatorSet(domain, version),
    ),
    ...Object.entries(metadata).map(([key, value]) =>
      bytesField(14, joined(textField(1, key), textField(2, String(value)))),
    ),
  );
}

function valueInfo(name: string, type: ElementType, dims: readonly (number | string)[]): Uint8Array {
  const shape = joined(
    ...dims.map((dim) => bytesField(1, typeof dim === 'number' ? numberField(1, dim) : textField(2, dim))),
  );
  const tensorType = joined(numberField(1, TYPE_NUMBERS[type]), bytesField(2, shape));
  return joined(textField(1, name), bytesField(2, bytesField(1, tensorType)));
}

function tensorFields({ type, dims, data }: Tensor): Uint8Array {
  const size = dims.reduce((product, dim) => product * dim, 1);
  if (size !== data.length)
    throw new RangeError(`A tensor of ${dims.join(' × ')} needs ${size} numbers, not ${data.length}.`);
  return joined(
    ...dims.map((dim) => numberField(1, dim)),
    numberField(2, TYPE_NUMBERS[type]),
    bytesField(9, rawData(type, data)),
  );
}

function rawData(type: ElementType, data: ArrayLike<number>): Uint8Array {
  switch (type) {
    case 'f32':
      return new Uint8Array(Float32Array.from(data).buffer);
    case 'f16':
      return new Uint8Array(toHalf(Float32Array.from(data)).buffer);
    case 'u8':
      return Uint8Array.from(data);
    case 'i32':
      return new Uint8Array(Int32Array.from(data).buffer);
    case 'i64':
      return new Uint8Array(BigInt64Array.from(Array.from(data, BigInt)).buffer);
    case 'bool':
      return Uint8Array.from(data, (value) => (value ? 1 : 0));
  }
}

function attributeFields(name: string, value: Attribute): Uint8Array {
  // AttributeProto.AttributeType
  const typed = (type: number, ...fields: Uint8Array[]) => joined(textField(1, name), ...fields, numberField(20, type));
  if ('float' in value) return typed(1, floatField(2, value.float));
  if ('int' in value) return typed(2, numberField(3, value.int));
  if ('string' in value) return typed(3, textField(4, value.string));
  if ('tensor' in value) return typed(4, bytesField(5, tensorFields(value.tensor)));
  if ('graph' in value) return typed(5, bytesField(6, value.graph.bytes()));
  if ('floats' in value) return typed(6, ...value.floats.map((one) => floatField(7, one)));
  return typed(7, ...value.ints.map((one) => numberField(8, one)));
}
