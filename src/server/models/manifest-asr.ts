import type { AsrModel } from './model-entry.ts';

export const ASR_MODELS: readonly AsrModel[] = [];
