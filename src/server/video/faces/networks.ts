import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as Ort from 'onnxruntime-node';
import { onnxModel } from '../../onnx/graph.ts';
import { VideoError } from '../contracts.ts';
import { readTfjsGraph } from './tfjs-graph.ts';

/** One network: takes three planes (red, green, blue) of `size` x `size` numbers, gives its outputs in their order. */
export type Network = {
  readonly size: number;
  run(planes: Float32Array): Promise<readonly Float32Array[]>;
};

/** MediaPipe's BlazeFace (where faces are) and FaceMesh (468 points of one face); both Apache-2.0. */
export type FaceNetworks = { readonly finder: Network; readonly mesh: Network };

const PACKAGE = '@vladmandic/human';

/** Dims of outputs, which come in this order. */
type Outputs = Readonly<Record<string, readonly number[]>>;
/** Of places on a fine grid, then on a coarse one: how sure a face is there, and where it and its parts are. */
const FINDER_OUTPUTS: Outputs = {
  Identity: [1, 512, 1],
  Identity_2: [1, 512, 16],
  Identity_1: [1, 384, 1],
  Identity_3: [1, 384, 16],
};
/** The points, and how sure they are those of a face. */
const MESH_OUTPUTS: Outputs = { Identity_2: [1, 1404], Identity_1: [1, 1] };

let loaded: Promise<FaceNetworks> | undefined;

/** Loads both once, for the life of the process (5 MB); rejects with a `VideoError` that says what to install. */
export function faceNetworks(): Promise<FaceNetworks> {
  loaded ??= load();
  // What was missing may be there the next time.
  loaded.catch(() => {
    loaded = undefined;
  });
  return loaded;
}

async function load(): Promise<FaceNetworks> {
  const require = createRequire(import.meta.url);
  let models: string;
  try {
    models = join(dirname(require.resolve(PACKAGE)), '../models');
  } catch (cause) {
    const message = `Faces are found with the package ${PACKAGE}, which is not installed; run npm install ${PACKAGE}.`;
    throw new VideoError(message, { cause });
  }
  try {
    const ort = await runtime(require);
    const open = async (name: string, input: { name: string; size: number }, outputs: Outputs) =>
      network(ort, onnxModel(await readTfjsGraph(join(models, name), input, outputs)), input.size, outputs);
    const [finder, mesh] = await Promise.all([
      open('blazeface.json', { name: 'input', size: 256 }, FINDER_OUTPUTS),
      open('facemesh.json', { name: 'input_1', size: 192 }, MESH_OUTPUTS),
    ]);
    return { finder, mesh };
  } catch (cause) {
    const message = 'The networks that find faces could not be loaded; run npm ci again to install what they need.';
    throw new VideoError(message, { cause });
  }
}

/** The native one where it is installed, else the WebAssembly one that comes with the voice detector. */
async function runtime(require: NodeJS.Require): Promise<typeof Ort> {
  const native = await import('onnxruntime-node').catch(() => undefined);
  if (native) return native;
  const file = createRequire(require.resolve('@ricky0123/vad-web')).resolve('onnxruntime-web');
  const web = (await import(pathToFileURL(file).href)) as typeof Ort & { default?: typeof Ort };
  const ort = web.default ?? web;
  ort.env.wasm.numThreads = 1;
  return ort;
}

async function network(ort: typeof Ort, model: Uint8Array, size: number, outputs: Outputs): Promise<Network> {
  const session = await ort.InferenceSession.create(model, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const [input] = session.inputNames;
  return {
    size,
    async run(planes) {
      const results = await session.run({ [input!]: new ort.Tensor('float32', planes, [1, 3, size, size]) });
      return Object.keys(outputs).map((name) => results[name]!.data as Float32Array);
    },
  };
}
