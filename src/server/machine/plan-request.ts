import type { Language } from '../models/model-entry.ts';

/** The stages that are planned; the voice detector runs everywhere. */
export const PLAN_STAGES = ['asr', 'llm', 'tts'] as const;
export type PlanStage = (typeof PLAN_STAGES)[number];

/** What a plan is asked for. */
export type PlanRequest = {
  readonly language: Language;
  /** Ids of the models whose files are all there. */
  readonly onDisk: ReadonlySet<string>;
  /** Whether models can be downloaded. */
  readonly hub: boolean;
  /** Which npm packages are installed; `ortCuda`: onnxruntime-node with its CUDA provider. */
  readonly packages: {
    readonly sherpa: boolean;
    readonly llama: boolean;
    readonly whisper: boolean;
    readonly ort: boolean;
    readonly ortCuda: boolean;
  };
  /** Only these are planned; the others are somebody else's and take nothing. All, if left out. */
  readonly stages?: readonly PlanStage[];
  /** Kept free on the card, for video. */
  readonly reserveVramBytes?: number;
  readonly reserveRamBytes?: number;
};
