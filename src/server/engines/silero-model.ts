import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import type * as Ort from 'onnxruntime-node';
import { MIC_FRAME, MIC_RATE } from '../../protocol/pcm.ts';
import { EngineError } from './contracts.ts';

/** Which code runs the network: the native one, the WebAssembly one, or the native one where it loads. */
export type SileroRuntime = 'auto' | 'native' | 'wasm';

/** Which of the networks in the vad-web package. */
export type SileroVersion = 'v5' | 'v6';

/** What a microphone has been so far: the network's memory of it and the end of its last frame. */
export type SileroMemory = { state: Float32Array; context: Float32Array };

/** The memory of a microphone that has said nothing yet. */
export function newMemory(): SileroMemory {
  return { state: new Float32Array(2 * WIDTH), context: new Float32Array(CONTEXT) };
}

/** The network, loaded. */
export type SileroModel = {
  readonly runtime: 'native' | 'wasm';
  /** The probability of speech for each frame, all at once; each microphone's memory moves on with its frame. */
  run(batch: readonly { memory: SileroMemory; frame: Float32Array }[]): Promise<Float32Array>;
  release(): Promise<void>;
};

const CONTEXT = 64;
const INPUT = CONTEXT + MIC_FRAME;
const WIDTH = 128;
const VAD_WEB = '@ricky0123/vad-web';

/** Loads Silero on one CPU thread; throws an EngineError that says what to install when it cannot. */
export async function loadSilero(version: SileroVersion, wanted: SileroRuntime): Promise<SileroModel> {
  try {
    const require = createRequire(import.meta.url);
    const path = require.resolve(`${VAD_WEB}/dist/silero_vad_${version}.onnx`);
    const { ort, runtime } = await loadRuntime(wanted, require.resolve(VAD_WEB));
    const session = await ort.InferenceSession.create(path, {
      executionProviders: [runtime === 'native' ? 'cpu' : 'wasm'],
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      // Errors only: warnings about the graph help nobody who runs this.
      logSeverityLevel: 3,
    });
    const rate = new ort.Tensor('int64', BigInt64Array.of(BigInt(MIC_RATE)), []);
    return {
      runtime,
      run: (batch) => run(ort, session, rate, batch),
      release: () => session.release(),
    };
  } catch (cause) {
    throw new EngineError('vad', `Silero ${version} could not be loaded; run npm ci again to install what it needs.`, {
      cause,
    });
  }
}

async function loadRuntime(wanted: SileroRuntime, vadWeb: string) {
  if (wanted !== 'wasm') {
    try {
      return { ort: await import('onnxruntime-node'), runtime: 'native' } as const;
    } catch (error) {
      // An optional dependency: not every machine has a build of it.
      if (wanted === 'native') throw error;
    }
  }
  // It belongs to vad-web, so it is looked for from there.
  const file = createRequire(vadWeb).resolve('onnxruntime-web');
  const loaded = (await import(pathToFileURL(file).href)) as typeof Ort & { default?: typeof Ort };
  const ort = loaded.default ?? loaded;
  ort.env.wasm.numThreads = 1;
  return { ort, runtime: 'wasm' } as const;
}

async function run(
  ort: typeof Ort,
  session: Ort.InferenceSession,
  rate: Ort.Tensor,
  batch: readonly { memory: SileroMemory; frame: Float32Array }[],
): Promise<Float32Array> {
  const size = batch.length;
  const input = new Float32Array(size * INPUT);
  const state = new Float32Array(2 * size * WIDTH);
  for (const [i, { memory, frame }] of batch.entries()) {
    input.set(memory.context, i * INPUT);
    input.set(frame, i * INPUT + CONTEXT);
    for (const layer of [0, 1]) {
      state.set(memory.state.subarray(layer * WIDTH, (layer + 1) * WIDTH), (layer * size + i) * WIDTH);
    }
  }
  const results = await session.run({
    input: new ort.Tensor('float32', input, [size, INPUT]),
    state: new ort.Tensor('float32', state, [2, size, WIDTH]),
    sr: rate,
  });
  const next = results.stateN!.data as Float32Array;
  for (const [i, { memory, frame }] of batch.entries()) {
    for (const layer of [0, 1]) {
      const at = (layer * size + i) * WIDTH;
      memory.state.set(next.subarray(at, at + WIDTH), layer * WIDTH);
    }
    memory.context.set(frame.subarray(MIC_FRAME - CONTEXT));
  }
  return results.output!.data as Float32Array;
}
