import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { InferenceSession } from 'onnxruntime-node';
import { VideoError } from '../../../contracts.ts';
import type { Device } from '../networks.ts';
import type { Tensors, Values } from './tensors.ts';

/** A graph that is loaded onto a device. */
export interface GraphSession extends AsyncDisposable {
  readonly inputs: readonly string[];
  /** Blocks its thread while it computes; rejects with a `VideoError`. */
  run(inputs: Tensors): Promise<Tensors>;
}

const NAMES: Readonly<Record<Device, string>> = { cuda: 'CUDA', webgpu: 'WebGPU', cpu: 'the CPU' };

/** A device as people call it. */
export const nameOf = (device: Device): string => NAMES[device];

/** Loads a graph onto one device; blocks its thread, and rejects with a `VideoError` that names the fix. */
export async function openGraph(file: string, device: Device, gpu: number): Promise<GraphSession> {
  const ort = await import('onnxruntime-node').catch((cause) => {
    const message = 'The package onnxruntime-node is not installed; run npm install onnxruntime-node.';
    throw new VideoError(message, { cause });
  });
  // It would print what the error says as well.
  ort.env.logLevel = 'fatal';
  const session = await ort.InferenceSession.create(file, {
    executionProviders: [provider(device, gpu)],
    logSeverityLevel: 4,
  }).catch((cause) => {
    throw new VideoError(notLoaded(file, device, cause), { cause });
  });
  const tensor = ({ dims, data }: Values) =>
    data instanceof Uint8Array ? new ort.Tensor('uint8', data, dims) : new ort.Tensor('float32', data, dims);
  return {
    inputs: session.inputNames,
    async run(inputs) {
      const feeds = Object.fromEntries(Object.entries(inputs).map(([name, values]) => [name, tensor(values)]));
      const made = await session.run(feeds).catch((cause) => {
        const fix =
          device === 'cpu' ? 'free some memory' : 'close what else uses the card, or set video.lipSync.device to cpu';
        throw new VideoError(`MuseTalk failed on ${NAMES[device]} (${firstLine(cause)}); ${fix}.`, { cause });
      });
      return Object.fromEntries(
        Object.entries(made).map(([name, { dims, data }]) => [name, { dims, data: data as Values['data'] }]),
      );
    },
    [Symbol.asyncDispose]: () => session.release(),
  };
}

const provider = (device: Device, gpu: number): InferenceSession.ExecutionProviderConfig =>
  device === 'cuda' ? { name: 'cuda', deviceId: gpu } : device;

function notLoaded(file: string, device: Device, cause: unknown): string {
  if (device === 'cuda') return `MuseTalk cannot run with CUDA here; ${cudaFix()}.`;
  if (device === 'cpu') {
    return `${file} cannot be loaded (${firstLine(cause)}); voice-chat models verify musetalk says whether it is damaged.`;
  }
  const drivers = 'install a current Vulkan driver of the card';
  return `MuseTalk cannot run with WebGPU here (${firstLine(cause)}); ${drivers}, or set video.lipSync.device to cpu.`;
}

/** How to get what CUDA needs: the package brings everything but that, and its own script fetches the rest. */
function cudaFix(): string {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return 'onnxruntime-node has CUDA for Linux on x64 only, so set video.lipSync.device to webgpu or cpu';
  }
  const script = join(dirname(createRequire(import.meta.url).resolve('onnxruntime-node')), '../script/install.js');
  return `run node ${script} --onnxruntime-node-install=cuda12, and install CUDA 12 and cuDNN 9 where the loader finds them, or set video.lipSync.device to webgpu or cpu`;
}

/** What a library said, short enough for a sentence. */
const firstLine = (cause: unknown): string => {
  const [line = ''] = (cause instanceof Error ? cause.message : String(cause)).trim().split('\n');
  const plain = line.replace(/^.*?(?:was false\.|Status Message:)\s*/, '').replace(/[.\s]+$/, '');
  return plain.length > 160 ? `${plain.slice(0, 157)}…` : plain || 'it gave no reason';
};
