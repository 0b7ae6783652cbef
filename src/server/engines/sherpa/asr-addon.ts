import { EngineError } from '../contracts.ts';

/** What recognition needs of `sherpa-onnx-node`, which has no type declarations. */
export type SherpaAsr = {
  readonly OnlineRecognizer: new (config: object) => OnlineRecognizer;
  readonly OfflineRecognizer: { createAsync(config: object): Promise<OfflineRecognizer> };
};

type Waveform = { readonly samples: Float32Array; readonly sampleRate: number };

export type OnlineStream = { acceptWaveform(wave: Waveform): void; inputFinished(): void };
export type OnlineRecognizer = {
  createStream(): OnlineStream;
  isReady(stream: OnlineStream): boolean;
  decode(stream: OnlineStream): void;
  getResult(stream: OnlineStream): { readonly text: string };
};

type OfflineStream = { acceptWaveform(wave: Waveform): void };
export type OfflineRecognizer = {
  createStream(): OfflineStream;
  decodeAsync(stream: OfflineStream): Promise<{ readonly text: string }>;
};

/** Loads sherpa-onnx; throws an `EngineError` that says how to get it when it is not installed or does not run here. */
export async function loadSherpaAsr(): Promise<SherpaAsr> {
  try {
    const module = (await import('sherpa-onnx-node' as string)) as { default: SherpaAsr };
    return module.default;
  } catch (cause) {
    const message = 'sherpa-onnx is not installed or does not run on this machine; run: npm install sherpa-onnx-node';
    throw new EngineError('asr', message, { cause });
  }
}
