import { ASR_MODELS } from './manifest-asr.ts';
import { LLM_MODELS } from './manifest-llm.ts';
import { TTS_MODELS } from './manifest-tts.ts';
import { VIDEO_MODELS } from './manifest-video.ts';
import type { ModelEntry } from './model-entry.ts';

/** Every model that voice-chat knows, best first within each stage. */
export const MODELS: readonly ModelEntry[] = [...ASR_MODELS, ...LLM_MODELS, ...TTS_MODELS, ...VIDEO_MODELS];
