import { type FileHandle, open, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { toHalf } from '../weights/half.ts';
import { type ModelOptions, type NamedWeight, type OnnxGraph, onnxModel, type Place } from './graph.ts';

/** Tensors begin at multiples of this, so that a runtime can map them from the file. */
const ALIGNED = 4096;

/**
 * A file of weights that lies beside the models that use it. Several models may share one: a weight of the same name and type is
 * written once.
 */
export class WeightsFile implements AsyncDisposable {
  readonly #file: FileHandle;
  readonly #name: string;
  readonly #places = new Map<string, Place>();
  #end = 0;

  private constructor(file: FileHandle, name: string) {
    this.#file = file;
    this.#name = name;
  }

  /** Makes the file anew; it must lie in the folder of its models. */
  static async create(path: string): Promise<WeightsFile> {
    return new WeightsFile(await open(path, 'w'), basename(path));
  }

  /** How long it has become. */
  get bytes(): number {
    return this.#end;
  }

  /** Reads a weight and writes it, unless it is there; rejects with the signal's reason once it aborts. */
  async write({ name, type, weight }: NamedWeight, signal: AbortSignal): Promise<Place> {
    signal.throwIfAborted();
    const known = this.#places.get(`${type} ${name}`);
    if (known) return known;
    const values = await weight.read(signal);
    const count = weight.dims.reduce((product, dim) => product * dim, 1);
    if (values.length !== count) {
      throw new RangeError(`The weight ${name} (${weight.dims.join(' × ')}) has ${values.length} numbers.`);
    }
    const data = type === 'f16' ? toHalf(values) : values;
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const offset = Math.ceil(this.#end / ALIGNED) * ALIGNED;
    for (let written = 0; written < bytes.length; ) {
      const rest = bytes.subarray(written, written + 2 ** 30);
      written += (await this.#file.write(rest, 0, rest.length, offset + written)).bytesWritten;
    }
    this.#end = offset + bytes.length;
    const place = { file: this.#name, offset, length: bytes.length };
    this.#places.set(`${type} ${name}`, place);
    return place;
  }

  /** Whole on the disk, and closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.sync();
    await this.#file.close();
  }
}

/**
 * Writes a graph to `path` and its weights into `beside`, telling the share of the weights' numbers that are written, 0 to 1;
 * rejects with the signal's reason once it aborts. A graph is written once.
 */
export async function writeModel(
  path: string,
  graph: OnnxGraph,
  beside: WeightsFile,
  onProgress: (done: number) => void,
  signal: AbortSignal,
  options: ModelOptions = {},
): Promise<void> {
  const { weights } = graph;
  const size = ({ weight }: NamedWeight) => weight.dims.reduce((product, dim) => product * dim, 1);
  const total = weights.reduce((sum, one) => sum + size(one), 0);
  let done = 0;
  for (const one of weights) {
    graph.place(one, await beside.write(one, signal));
    done += size(one);
    onProgress(done / total);
  }
  await writeFile(path, onnxModel(graph, options));
}
