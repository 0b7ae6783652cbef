import { MIC_FRAME } from '../../protocol/pcm.ts';
import { abortable } from '../async/abortable.ts';
import { EngineError, type VoiceDetector } from './contracts.ts';
import {
  loadSilero,
  newMemory,
  type SileroMemory,
  type SileroModel,
  type SileroRuntime,
  type SileroVersion,
} from './silero-model.ts';

export type SileroSettings = {
  readonly version?: SileroVersion;
  readonly runtime?: SileroRuntime;
  /** Most frames in one run of the network; more only makes each one wait longer. */
  readonly maxBatch?: number;
};

/** Silero on one CPU thread; the frames of all microphones that wait at one moment share a run of the network. */
export async function create(settings: SileroSettings = {}): Promise<VoiceDetector> {
  const model = await loadSilero(settings.version ?? 'v6', settings.runtime ?? 'auto');
  return new SileroVad(model, settings.maxBatch ?? 64);
}

type Waiting = {
  readonly memory: SileroMemory;
  readonly frame: Float32Array;
  readonly resolve: (probability: number) => void;
  readonly reject: (error: EngineError) => void;
};

class SileroVad implements VoiceDetector {
  readonly #model: SileroModel;
  readonly #maxBatch: number;
  // In order of arrival, and at most one frame of each microphone: `detect` asks for the next only after an answer.
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;
  #closed = false;

  constructor(model: SileroModel, maxBatch: number) {
    this.#model = model;
    this.#maxBatch = maxBatch;
  }

  async *detect(frames: AsyncIterable<Float32Array>, signal: AbortSignal): AsyncGenerator<number, void, undefined> {
    const memory = newMemory();
    const forget = () => {
      const index = this.#waiting.findIndex((one) => one.memory === memory);
      for (const one of index < 0 ? [] : this.#waiting.splice(index, 1)) one.resolve(0);
    };
    signal.addEventListener('abort', forget, { once: true });
    try {
      for await (const frame of abortable(frames, signal)) {
        if (frame.length !== MIC_FRAME) {
          throw new EngineError(
            'vad',
            `Silero takes frames of ${MIC_FRAME} samples at 16 kHz, not of ${frame.length}.`,
          );
        }
        const probability = await this.#probability(memory, frame);
        if (signal.aborted) return;
        yield probability;
      }
    } finally {
      signal.removeEventListener('abort', forget);
    }
  }

  #probability(memory: SileroMemory, frame: Float32Array): Promise<number> {
    if (this.#closed) throw closed();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ memory, frame, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  async #run(): Promise<void> {
    for (;;) {
      // Lets in what has already arrived, before and between runs: a native run blocks this process.
      await new Promise((resolve) => setImmediate(resolve));
      const batch = this.#waiting.splice(0, this.#maxBatch);
      if (batch.length === 0) break;
      try {
        const probabilities = await this.#model.run(batch);
        for (const [i, one] of batch.entries()) one.resolve(probabilities[i]!);
      } catch (cause) {
        const error = new EngineError('vad', 'Silero failed on a frame of audio; restart the voice detector.', {
          cause,
        });
        for (const one of batch) one.reject(error);
      }
    }
    this.#running = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const one of this.#waiting.splice(0)) one.reject(closed());
    await this.#running;
    await this.#model.release();
  }
}

function closed(): EngineError {
  return new EngineError('vad', 'The voice detector was closed; open a new one.');
}
