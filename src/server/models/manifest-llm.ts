import type { LlmModel } from './model-entry.ts';

export const LLM_MODELS: readonly LlmModel[] = [];
