import { existsSync } from 'node:fs';
import type { Llama, LlamaContext, LlamaModel } from 'node-llama-cpp';
import { EngineError } from '../contracts.ts';
import { onCpu } from '../device/on-cpu.ts';

export type Device = 'auto' | 'cuda' | 'vulkan' | 'metal' | 'cpu';
type Gpu = Exclude<Device, 'auto' | 'cpu'>;

export type ModelSettings = {
  /** Absolute path of a .gguf file. */
  readonly file: string;
  readonly device: Device;
  /** How many layers run on the GPU; -1 for all. */
  readonly gpuLayers: number;
  /** How many tokens of a conversation the model sees; 0 for 4,096, and never more than it was trained on. */
  readonly contextTokens: number;
  /** How many conversations keep what was evaluated of them; each costs the memory of a whole context. */
  readonly conversations: number;
  /** For layers that run on the CPU; 0 for as many as this model gains from. */
  readonly threads: number;
};

export type OpenModel = {
  readonly llama: Llama;
  readonly model: LlamaModel;
  readonly context: LlamaContext;
  readonly runsOn: string;
};

const SOFTWARE = /llvmpipe|lavapipe|swiftshader|softpipe/i;
/** Below this a token costs less than waking a second thread. */
const TINY_BYTES = 50e6;
const BATCH = 512;

/** Loads a model; throws an `EngineError` that names the fix when the package, the device, the file or memory is not there. */
export async function openModel(settings: ModelSettings): Promise<OpenModel> {
  const { file, gpuLayers, conversations } = settings;
  if (!existsSync(file)) {
    throw failed(`There is no model file ${file}. Fetch it with voice-chat models pull, or name another in llm.model.`);
  }
  const complaints: string[] = [];
  const llama = await openLlama(settings.device, (line) => complaints.push(line));
  try {
    const model = await llama
      .loadModel({ modelPath: file, gpuLayers: llama.gpu === false ? 0 : gpuLayers < 0 ? 'max' : gpuLayers })
      .catch(async (error: Error) => {
        // The library hands its complaints over in a later turn of the event loop.
        await new Promise((resolve) => setImmediate(resolve));
        throw await notLoaded(error, settings, complaints);
      });
    const contextSize = Math.min(settings.contextTokens || 4_096, model.trainContextSize);
    const threads = settings.threads || (model.size < TINY_BYTES ? 1 : llama.cpuMathCores);
    const wanted = { contextSize, sequences: conversations, batchSize: Math.min(BATCH, contextSize) };
    await checkMemory(llama, model, wanted, settings);
    const context = await model
      .createContext({ ...wanted, threads, swaFullCache: true, failedCreationRemedy: false })
      .catch((error: Error) => {
        throw tooLarge(settings, contextSize, error);
      });
    return { llama, model, context, runsOn: await where(llama, model, threads) };
  } catch (error) {
    await llama.dispose();
    throw error;
  }
}

async function openLlama(device: Device, complain: (line: string) => void): Promise<Llama> {
  if (device !== 'auto') {
    const llama = await loadLlama(device, complain);
    if (llama) return llama;
    const needs = {
      cuda: 'an NVIDIA driver and the CUDA 12 or 13 runtime libraries (the doctor says what is missing)',
      vulkan: 'a graphics driver with Vulkan (one that only computes on the CPU does not count)',
      metal: 'a Mac with Apple silicon',
      cpu: 'node-llama-cpp with its binaries: npm install node-llama-cpp',
    }[device];
    throw failed(`llm.device is ${device}, which does not work here. It needs ${needs}; or set llm.device to auto.`);
  }
  const gpus: readonly Gpu[] = process.platform === 'darwin' ? ['metal'] : ['cuda', 'vulkan'];
  for (const gpu of [...gpus, 'cpu' as const]) {
    const llama = await loadLlama(gpu, complain);
    if (llama) return llama;
  }
  throw failed(
    'node-llama-cpp has no binary that works on this machine. Use npm install node-llama-cpp, or llm.engine.',
  );
}

/** The library on that device; undefined where it does not work, or works in software only. */
async function loadLlama(device: Gpu | 'cpu', complain: (line: string) => void): Promise<Llama | undefined> {
  const { getLlama, LlamaLogLevel } = await library();
  const gpu = device === 'cpu' ? false : device;
  const logger = (_: unknown, line: string) => complain(line.trim());
  try {
    const options = { build: 'never', skipDownload: true, progressLogs: false, maxThreads: 0 } as const;
    const llama = await getLlama({ ...options, gpu, logLevel: LlamaLogLevel.error, logger });
    // It falls back to the CPU without an error.
    const names = gpu === false ? [] : await llama.getGpuDeviceNames();
    if (gpu === false || (llama.gpu === gpu && names.some((name) => !SOFTWARE.test(name)))) return llama;
    await llama.dispose();
    return undefined;
  } catch {
    return undefined;
  }
}

async function library(): Promise<typeof import('node-llama-cpp')> {
  try {
    return await import('node-llama-cpp');
  } catch (cause) {
    throw new EngineError(
      'llm',
      'Language models need the package node-llama-cpp, which is not installed: npm install node-llama-cpp.',
      { cause },
    );
  }
}

async function where(llama: Llama, model: LlamaModel, threads: number): Promise<string> {
  const cpu = onCpu(threads);
  if (llama.gpu === false || model.gpuLayers === 0) return cpu;
  const names = [...new Set(await llama.getGpuDeviceNames())].filter((name) => !SOFTWARE.test(name)).join(' + ');
  const all = model.fileInsights.totalLayers;
  const kind = { cuda: 'CUDA', vulkan: 'Vulkan', metal: 'Metal' }[llama.gpu];
  if (model.gpuLayers >= all) return `${kind}, ${names}`;
  return `${kind}, ${names}, ${model.gpuLayers} of ${all} layers; the others on the ${cpu}`;
}

/** The library checks a card's memory itself; without this, the system would end the process for lack of the other. */
async function checkMemory(
  llama: Llama,
  model: LlamaModel,
  wanted: { contextSize: number; sequences: number; batchSize: number },
  settings: ModelSettings,
): Promise<void> {
  const { contextSize, sequences } = wanted;
  // Its estimate of a large context takes minutes, but what it says grows by the token.
  const estimate = async (tokens: number) => {
    const size = { ...wanted, contextSize: tokens, sequences: 1, modelGpuLayers: model.gpuLayers, swaFullCache: true };
    return (await model.fileInsights.estimateContextResourceRequirementsV2(size)).cpuRam;
  };
  const [small, twice] = [await estimate(512), await estimate(1_024)];
  const need = small + ((twice - small) / 512) * (contextSize * sequences - 512);
  const { free } = await llama.getRamState();
  if (need > free) throw tooLarge(settings, contextSize, new Error(`It needs ${need} bytes, ${free} are free.`));
}

const failed = (message: string, cause?: unknown): EngineError => new EngineError('llm', message, { cause });

function tooLarge({ file, gpuLayers, conversations }: ModelSettings, contextTokens: number, cause: Error): EngineError {
  const layers = gpuLayers === 0 ? '' : ', llm.gpuLayers (fewer run on the card, the others on the CPU)';
  return failed(
    `The model ${file} does not fit into memory. Lower llm.contextTokens (${contextTokens}), llm.conversations (${conversations})${layers}, or choose a smaller llm.model.`,
    cause,
  );
}

async function notLoaded(error: Error, settings: ModelSettings, complaints: readonly string[]): Promise<EngineError> {
  const { file } = settings;
  const why = [...complaints, error.message].join('\n');
  const { readGgufFileInfo } = await library();
  const info = await readGgufFileInfo(file, { logWarnings: false }).catch(() => undefined);
  if (!info)
    return failed(
      `${file} is not a GGUF file. Name another in llm.model; what voice-chat has fetched, voice-chat models verify mends.`,
      error,
    );
  if (error.name === 'InsufficientMemoryError' || /unable to allocate|out of memory|insufficient memory/i.test(why)) {
    return tooLarge(settings, settings.contextTokens, error);
  }
  const reason = /error loading model: (.+)/.exec(why)?.[1] ?? error.message.split('\n')[0];
  const { architecture } = info.metadata.general;
  return failed(
    `The model ${file} cannot be loaded (${reason}). Fetch it again with voice-chat models pull; if its architecture, "${architecture}", is newer than node-llama-cpp, use npm install node-llama-cpp@latest.`,
    error,
  );
}
