/** A node of an ONNX graph; attributes are whole numbers, lists of them, or words. */
export type OnnxNode = {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes?: Readonly<Record<string, number | readonly number[] | string>>;
};

/** Named numbers: weights are `Float32Array`, shapes and paddings `BigInt64Array`. */
export type OnnxConstant = {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array | BigInt64Array;
};

/** A network as ONNX describes it. */
export type OnnxGraph = {
  readonly nodes: readonly OnnxNode[];
  readonly constants: readonly OnnxConstant[];
  readonly input: { readonly name: string; readonly shape: readonly number[] };
  readonly outputs: readonly string[];
};

const FLOAT = 1;
const INT64 = 7;
const IR_VERSION = 8;
const OPERATORS = 17;

/** The graph as the bytes of an ONNX file (field numbers: onnx.proto of the ONNX project). */
export function encodeOnnx(graph: OnnxGraph): Uint8Array {
  const body = message([
    ...graph.nodes.map((node) => field(1, encodeNode(node))),
    field(2, text('graph')),
    ...graph.constants.map((constant) => field(5, encodeConstant(constant))),
    field(11, valueInfo(graph.input.name, graph.input.shape)),
    ...graph.outputs.map((name) => field(12, valueInfo(name))),
  ]);
  return message([field(1, IR_VERSION), field(7, body), field(8, field(2, OPERATORS))]);
}

function encodeNode({ op, inputs, output, attributes = {} }: OnnxNode): Uint8Array {
  return message([
    ...inputs.map((name) => field(1, text(name))),
    field(2, text(output)),
    field(4, text(op)),
    ...Object.entries(attributes).map(([name, value]) => field(5, encodeAttribute(name, value))),
  ]);
}

function encodeAttribute(name: string, value: number | readonly number[] | string): Uint8Array {
  const named = field(1, text(name));
  if (typeof value === 'string') return message([named, field(4, text(value)), field(20, 3)]);
  if (typeof value === 'number') return message([named, field(3, value), field(20, 2)]);
  return message([named, ...value.map((one) => field(8, one)), field(20, 7)]);
}

function encodeConstant({ name, shape, data }: OnnxConstant): Uint8Array {
  const type = data instanceof Float32Array ? FLOAT : INT64;
  const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return message([...shape.map((size) => field(1, size)), field(2, type), field(8, text(name)), field(9, raw)]);
}

function valueInfo(name: string, shape?: readonly number[]): Uint8Array {
  const sizes = shape ? [field(2, message(shape.map((size) => field(1, field(1, size)))))] : [];
  return message([field(1, text(name)), field(2, field(1, message([field(1, FLOAT), ...sizes])))]);
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const message = (fields: readonly Uint8Array[]): Uint8Array => Buffer.concat(fields);

/** One field of a protocol buffer: a whole number that is not negative, or bytes. */
function field(number: number, value: number | Uint8Array): Uint8Array {
  if (typeof value === 'number') return Uint8Array.from([...varint(number << 3), ...varint(value)]);
  return Buffer.concat([Uint8Array.from([...varint((number << 3) | 2), ...varint(value.length)]), value]);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) | 128);
  }
}
