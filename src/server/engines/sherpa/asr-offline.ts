import type { Language } from '../../models/model-entry.ts';
import type { FilesByRole, SherpaAsrFamily } from './asr-files.ts';

/**
 * The longest stretch in seconds that is decoded at once. Whisper's window is 30 s; Moonshine was trained up to 30 s, and the
 * memory of Parakeet's and SenseVoice's attention grows with the square of the length.
 */
const MAX_SECONDS: Readonly<Record<SherpaAsrFamily, number>> = {
  zipformer: Infinity,
  parakeet: 24,
  moonshine: 24,
  'whisper-onnx': 28,
  'sense-voice': 24,
};

/** The longest stretch in seconds that may be decoded at once. */
export function maxSeconds(family: SherpaAsrFamily, files: FilesByRole): number {
  // sherpa-onnx (1.13.8) gives the second Moonshine's decoder a mask of the wrong length, and beyond 384 frames of 384 samples
  // the result is empty without an error.
  return family === 'moonshine' && files.mergedDecoder ? 9 : MAX_SECONDS[family];
}

type OfflineSettings = {
  readonly family: SherpaAsrFamily;
  readonly files: FilesByRole;
  readonly language: Language;
  readonly threads: number;
};

/** The `modelConfig` of sherpa-onnx's OfflineRecognizer for a model that takes whole utterances. */
export function offlineModel({ family, files, language, threads }: OfflineSettings): object {
  const common = { tokens: files.tokens, numThreads: threads, provider: 'cpu' };
  const { encoder, decoder, joiner } = files;
  switch (family) {
    case 'parakeet':
      return { ...common, transducer: { encoder, decoder, joiner }, modelType: 'nemo_transducer' };
    case 'moonshine': {
      const { preprocess: preprocessor, uncachedDecoder, cachedDecoder, mergedDecoder } = files;
      const parts = mergedDecoder
        ? { encoder, mergedDecoder }
        : { preprocessor, encoder, uncachedDecoder, cachedDecoder };
      return { ...common, moonshine: parts };
    }
    case 'whisper-onnx':
      return { ...common, whisper: { encoder, decoder, language, task: 'transcribe', tailPaddings: -1 } };
    case 'sense-voice': {
      const known = ['zh', 'en', 'ja'].includes(language);
      return {
        ...common,
        senseVoice: { model: files.model, language: known ? language : 'auto', useInverseTextNormalization: 1 },
      };
    }
    case 'zipformer':
      throw new RangeError('A streaming model takes no whole utterances.');
  }
}
