import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import type { OnnxGraph } from '../../../../onnx/graph.ts';
import { fromHalf, toHalf } from '../../../../weights/half.ts';
import { type Weights, WeightsError } from '../../../../weights/weights.ts';
import { VideoError } from '../../../contracts.ts';
import { readUnetConfig, readVaeConfig } from '../graphs/config.ts';
import { faceParserGraph } from '../graphs/face-parser.ts';
import { frameGraph } from '../graphs/frame.ts';
import type { Precision } from '../graphs/net.ts';
import { faceEncoderGraph } from '../graphs/vae.ts';
import { readWhisperConfig, speechGraph } from '../graphs/whisper.ts';
import { FACE_SIZE, MEL_BANDS, MEL_COLUMNS, PARSE_SIZE } from '../networks.ts';
import type { Tensors } from '../process/tensors.ts';

/** Small networks of MuseTalk's architecture, and what its reference implementations compute with them. */
export type Reference = {
  /** Graphs that are not tied to a file: their weights are counted out. */
  frame(precision: Precision): OnnxGraph;
  readonly face: OnnxGraph;
  readonly speech: OnnxGraph;
  readonly parser: OnnxGraph;
  /** What each graph is to be given. */
  readonly inputs: Readonly<Record<'frame' | 'face' | 'speech' | 'parser', Tensors>>;
  /** How far a graph's output lies from what it should be, at most. */
  distance(output: keyof Stored['outputs'], values: ArrayLike<number>): number;
};

/** As test/fixtures/musetalk/reference.py writes it. */
type Stored = {
  readonly unet: unknown;
  readonly vae: unknown;
  readonly whisper: unknown;
  readonly tensors: Readonly<Record<string, readonly number[]>>;
  /** Every `step`th number. */
  readonly outputs: Readonly<
    Record<'faces' | 'latents' | 'states' | 'logits', { readonly step: number; readonly values: string }>
  >;
};

const FILE = new URL('./reference/reference.json.gz', import.meta.url);

/** Reads what is stored in the package. */
export async function readReference(): Promise<Reference> {
  const stored = JSON.parse(gunzipSync(await readFile(FILE)).toString('utf8')) as Stored;
  const weights = (network: string) => countedWeights(network, stored.tensors);
  const unet = readUnetConfig(JSON.stringify(stored.unet));
  const vae = readVaeConfig(JSON.stringify(stored.vae));
  const whisper = readWhisperConfig(JSON.stringify(stored.whisper));
  return {
    frame: (precision) => frameGraph(weights('unet'), unet, weights('vae'), vae, precision),
    face: faceEncoderGraph(weights('vae'), vae),
    speech: speechGraph(weights('whisper'), whisper),
    parser: faceParserGraph(weights('parser'), { logits: true }),
    inputs: {
      frame: { states: numbers('states', [1, 50, unet.width]), latents: numbers('latents', [1, 8, 32, 32]) },
      face: {
        face: { dims: [1, FACE_SIZE, FACE_SIZE, 3], data: hashes('face', FACE_SIZE ** 2 * 3, (one) => one >>> 24) },
      },
      speech: { mel: numbers('mel', [1, MEL_BANDS, MEL_COLUMNS]) },
      parser: { picture: numbers('picture', [1, 3, PARSE_SIZE, PARSE_SIZE]) },
    },
    distance(output, values) {
      const { step, values: kept } = stored.outputs[output];
      const bytes = Uint8Array.from(Buffer.from(kept, 'base64'));
      const should = output === 'faces' ? bytes : new Float32Array(bytes.buffer);
      if (Math.ceil(values.length / step) !== should.length) throw new VideoError(`The ${output} are of another size.`);
      let most = 0;
      for (let i = 0; i < should.length; i++) {
        const distance = Math.abs(values[i * step]! - should[i]!);
        // Not a number must not pass for small.
        if (Number.isNaN(distance)) return distance;
        most = Math.max(most, distance);
      }
      return most;
    },
  };
}

const numbers = (name: string, dims: readonly number[]) => {
  const data = new Float32Array(sizeOf(dims));
  eachHash(name, data.length, (i, one) => {
    data[i] = one / 2 ** 31 - 1;
  });
  return { dims, data };
};

const sizeOf = (dims: readonly number[]): number => dims.reduce((product, dim) => product * dim, 1);

function hashes(name: string, count: number, of: (hash: number) => number): Uint8Array {
  const data = new Uint8Array(count);
  eachHash(name, count, (i, one) => {
    data[i] = of(one);
  });
  return data;
}

/** Whole numbers of 32 bits: a hash of the name (FNV-1a) and of the place. */
function eachHash(name: string, count: number, take: (index: number, hash: number) => void): void {
  let seed = 2_166_136_261;
  for (const byte of Buffer.from(name, 'utf8')) seed = Math.imul(seed ^ byte, 16_777_619);
  for (let i = 0; i < count; i++) {
    let x = (Math.imul(i, 0x9e3779b9) + seed) | 0;
    x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
    x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
    take(i, (x ^ (x >>> 16)) >>> 0);
  }
}

/** Tensors whose numbers are counted out from their names; the script that made the stored results does the same. */
function countedWeights(network: string, all: Stored['tensors']): Weights {
  const own = Object.entries(all).filter(([name]) => name.startsWith(`${network}/`));
  const dimsOf = new Map(own.map(([name, dims]) => [name.slice(network.length + 1), dims]));
  return {
    file: `the stored ${network}`,
    tensors: new Map([...dimsOf].map(([name, dims]) => [name, { type: 'f32', dims }])),
    read: async (name) => {
      const dims = dimsOf.get(name);
      if (!dims) throw new WeightsError(`The stored ${network} has no tensor ${name}; install voice-chat again.`);
      return counted(`${network}/${name}`, dims);
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

function counted(name: string, dims: readonly number[]): Float32Array {
  const { data } = numbers(name, dims);
  const small = name.endsWith('bias') || name.endsWith('running_mean');
  const scale = dims.length > 1 ? 2 / Math.sqrt(sizeOf(dims.slice(1))) : small ? 0.3 : 0.4;
  const base = dims.length > 1 || small ? 0 : 1;
  const values = new Float64Array(data.length).map((_, i) => base + scale * data[i]!);
  // As 16 bits hold them, so that graphs of either width have the same weights.
  return fromHalf(toHalf(Float32Array.from(values)));
}
