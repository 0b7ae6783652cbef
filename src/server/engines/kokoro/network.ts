import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { EngineError } from '../contracts.ts';

/** What the network made of some tokens: samples, and how long each token lasts where it tells. */
export type Spoken = { readonly samples: Float32Array; readonly durations?: ArrayLike<number> };

/** A loaded Kokoro network. */
export interface KokoroNetwork {
  readonly device: 'cuda' | 'cpu';
  /** Speech for these tokens (without padding) in this style; blocks its process while it computes. */
  speak(tokens: readonly number[], style: Float32Array, speed: number): Promise<Spoken>;
  close(): Promise<void>;
}

/** How to get what CUDA needs: the package brings everything but that, and its own script fetches the rest. */
function cudaFix(): string {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return 'onnxruntime-node has CUDA for Linux on x64 only, so set tts.device to cpu';
  }
  const script = join(dirname(createRequire(import.meta.url).resolve('onnxruntime-node')), '../script/install.js');
  return `run node ${script} --onnxruntime-node-install=cuda12, and install CUDA 12 and cuDNN 9 where the loader finds them, or set tts.device to cpu`;
}

/** Loads the network onto one device, and on no other; throws an `EngineError` that names the fix. */
export async function openNetwork(path: string, device: 'cuda' | 'cpu', threads: number): Promise<KokoroNetwork> {
  const ort = await import('onnxruntime-node').catch((cause) => {
    const message = 'The package onnxruntime-node is not installed; run npm install onnxruntime-node.';
    throw new EngineError('tts', message, { cause });
  });
  // It would print what the error says as well.
  ort.env.logLevel = 'fatal';
  let session: InferenceSession;
  try {
    session = await ort.InferenceSession.create(path, {
      executionProviders: [device],
      ...(threads > 0 ? { intraOpNumThreads: threads } : {}),
      logSeverityLevel: 3,
    });
  } catch (cause) {
    const message =
      device === 'cuda'
        ? `Kokoro cannot run with CUDA here; ${cudaFix()}.`
        : `The file ${path} is no model that ONNX Runtime can load; run voice-chat models verify.`;
    throw new EngineError('tts', message, { cause });
  }
  const [ids = 'tokens', style = 'style', speed = 'speed'] = session.inputNames;
  const audio = session.outputNames.find((name) => name !== 'durations')!;
  const tensor = {
    ids: (data: readonly number[]) => new ort.Tensor('int64', BigInt64Array.from(data, BigInt), [1, data.length]),
    row: (data: Float32Array) => new ort.Tensor('float32', data, [1, data.length]),
    one: (value: number) => new ort.Tensor('float32', Float32Array.of(value), [1]),
  };
  return {
    device,
    async speak(tokens, row, faster) {
      const made = await session.run({
        [ids]: tensor.ids([0, ...tokens, 0]),
        [style]: tensor.row(row),
        [speed]: tensor.one(faster),
      });
      const samples = made[audio]!.data as Float32Array;
      const { durations } = made as { durations?: Tensor };
      return durations ? { samples, durations: Array.from(durations.data as BigInt64Array, Number) } : { samples };
    },
    close: () => session.release(),
  };
}
