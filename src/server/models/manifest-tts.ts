import type { TtsModel } from './model-entry.ts';

export const TTS_MODELS: readonly TtsModel[] = [];
