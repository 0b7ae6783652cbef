import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Tensor } from 'onnxruntime-node';
import type { OnnxGraph } from '../../../../src/server/onnx/graph.ts';
import { WeightsFile, writeModel } from '../../../../src/server/onnx/write-model.ts';
import {
  readUnetConfig,
  readVaeConfig,
  type UnetConfig,
  type VaeConfig,
} from '../../../../src/server/video/lip-sync/musetalk/graphs/config.ts';
import { openWeights } from '../../../../src/server/weights/open-weights.ts';
import type { Weights } from '../../../../src/server/weights/weights.ts';

/** The runtime, where it is installed. */
export const ort = await import('onnxruntime-node').catch(() => undefined);

const FOLDER = new URL('../../../fixtures/musetalk/networks/', import.meta.url).pathname;
/** Of large outputs the fixture has every 47th number. */
const STEP = 47;

export type TinyNetworks = {
  readonly unet: Weights;
  readonly unetConfig: UnetConfig;
  readonly vae: Weights;
  readonly vaeConfig: VaeConfig;
};

/** The networks of the fixture; they stay open until the process ends. */
export async function tinyNetworks(): Promise<TinyNetworks> {
  return {
    unet: await openWeights(join(FOLDER, 'unet.pth')),
    unetConfig: readUnetConfig(await readFile(join(FOLDER, 'unet.json'), 'utf8')),
    vae: await openWeights(join(FOLDER, 'vae.safetensors')),
    vaeConfig: readVaeConfig(await readFile(join(FOLDER, 'vae.json'), 'utf8')),
  };
}

/** What diffusers computed: floats of the fixture's file `name`. */
export async function expectedNumbers(name: 'painted' | 'decoded' | 'encoded'): Promise<Float32Array> {
  return new Float32Array((await readFile(join(FOLDER, `${name}.f32`))).buffer.slice(0));
}

/** The bytes of faces that diffusers painted, every 47th of each of eight. */
export async function expectedFaces(): Promise<Uint8Array> {
  return readFile(join(FOLDER, 'faces.u8'));
}

/** Every 47th number, beginning anew with each of `length`. */
export function sampled<T extends Float32Array | Uint8Array>(values: T, length: number): number[] {
  return Array.from(values).filter((_, i) => (i % length) % STEP === 0);
}

/** The whole numbers of 32 bits of which the fixture's script makes inputs. */
function* bits(seed: number): Generator<number, never, undefined> {
  for (let value = seed; ; ) yield (value = (Math.imul(value, 1_664_525) + 1_013_904_223) >>> 0);
}

/** Numbers from -1 to 1, the same as in the fixture's script. */
export function generatedNumbers(seed: number, count: number): Float32Array {
  const source = bits(seed);
  return Float32Array.from({ length: count }, () => (source.next().value >>> 8) / 2 ** 23 - 1);
}

/** Bytes, the same as in the fixture's script. */
export function generatedBytes(seed: number, count: number): Uint8Array {
  const source = bits(seed);
  return Uint8Array.from({ length: count }, () => source.next().value >>> 24);
}

/** The largest difference between two lists of the same length. */
export function largestDifference(one: ArrayLike<number>, other: ArrayLike<number>): number {
  if (one.length !== other.length)
    throw new RangeError(`${one.length} and ${other.length} numbers cannot be compared.`);
  let largest = 0;
  for (let i = 0; i < one.length; i++) {
    const apart = Math.abs(one[i]! - other[i]!);
    // Not a number is not less than anything.
    if (!(apart <= largest)) largest = apart;
  }
  return largest;
}

/** Writes a graph, loads it on the CPU and runs it for each of `inputs`; gives its only output each time. */
export async function runGraph(
  graph: OnnxGraph,
  inputs: readonly Readonly<Record<string, Tensor>>[],
): Promise<Tensor[]> {
  const folder = await mkdtemp(join(tmpdir(), 'voice-chat-graph-'));
  try {
    const path = join(folder, 'graph.onnx');
    {
      await using beside = await WeightsFile.create(join(folder, 'graph.data'));
      await writeModel(path, graph, beside, () => {}, new AbortController().signal);
    }
    const session = await ort!.InferenceSession.create(path, { intraOpNumThreads: 1 });
    const outputs: Tensor[] = [];
    for (const one of inputs) outputs.push((await session.run(one))[session.outputNames[0]!] as Tensor);
    await session.release();
    return outputs;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A tensor of floats. */
export function floats(data: Float32Array, dims: readonly number[]): Tensor {
  return new ort!.Tensor('float32', data, dims);
}
