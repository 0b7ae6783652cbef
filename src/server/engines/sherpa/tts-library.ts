import { EngineError } from '../contracts.ts';

/** What of sherpa-onnx's synthesiser is used here. */
export type SherpaTts = {
  readonly sampleRate: number;
  readonly numSpeakers: number;
  /** Ends early, after the sentence that is being made, when `onProgress` returns 0. */
  generateAsync(request: {
    text: string;
    sid: number;
    speed: number;
    enableExternalBuffer: boolean;
    onProgress: (piece: { samples: Float32Array; progress: number }) => number;
  }): Promise<{ samples: Float32Array; sampleRate: number }>;
};

type Library = { OfflineTts: { createAsync(config: object): Promise<SherpaTts> } };

const PACKAGE = 'sherpa-onnx-node';

/** Loads a model with sherpa-onnx; throws an `EngineError` where the package is not installed or refuses the model. */
export async function loadSherpaTts(config: object, model: string): Promise<SherpaTts> {
  let library: Library;
  try {
    // It brings no types; the name is no literal so that TypeScript does not look for them.
    const loaded = (await import(PACKAGE as string)) as { default: Library };
    library = loaded.default;
  } catch (cause) {
    throw new EngineError('tts', 'The package sherpa-onnx-node is not installed; run npm install sherpa-onnx-node.', {
      cause,
    });
  }
  try {
    return await library.OfflineTts.createAsync(config);
  } catch (cause) {
    const message = `sherpa-onnx cannot load ${model}; run voice-chat models verify to find and mend broken files.`;
    throw new EngineError('tts', message, { cause });
  }
}
